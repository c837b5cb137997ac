"""`legbook explain`: the events that made one leg what it is, the rules they met, and why it ended so."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka import ConsumerRecord

from legbook.cli.fold import CONTEXTS
from legbook.cli.history import Histories, as_json, as_text, clock, histories_of, title
from legbook.cli.reaching import UNREACHABLE, partition_count, until, why
from legbook.cli.recordings import BadFileError, Placed, read
from legbook.contracts.codec import BadMessageError, decode_raw
from legbook.contracts.legs import Leg
from legbook.contracts.topics import RAW, partition_of
from legbook.runtime import fleet, logs
from legbook.runtime.fleet import FleetError, Pbx
from legbook.runtime.follow import Follower
from legbook.runtime.settings import FleetSettings, KafkaSettings, load
from legbook.runtime.stop import CANNOT_START

Consumed = ConsumerRecord[Any, Any]


def explain(
    file: Annotated[
        Path | None, typer.Argument(help="A recording; without one, the raw topic of --pbx.")
    ] = None,
    *,
    leg: Annotated[
        int | None, typer.Option(help="Its id: curcdr.id, mycdr.leg_id.", show_default=False)
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="A channel or uniqueid of it.", show_default=False)
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="A moment at which it lived: 12:00:03 (UTC).", show_default=False)
    ] = None,
    pbx: Annotated[
        str | None, typer.Option(help="Name of the PBX; needed without a file.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Say why a leg is what it is: its events, the rules they met, what changed."""
    logs.configure("warning")
    try:
        histories = _from_file(file, pbx or "pbx", leg) if file else _from_topic(pbx, leg)
    except BadFileError as error:
        raise _refusal(str(error), 2) from None
    except FleetError as error:
        raise _refusal(str(error), CANNOT_START) from None
    except UNREACHABLE as error:
        raise _refusal(why(error), CANNOT_START) from None
    chosen = _choose(histories.legs, leg, channel, at)
    for line in (as_json if json else as_text)(chosen, histories):
        sys.stdout.write(line + "\n")


def _refusal(text: str, code: int) -> typer.Exit:
    typer.echo(f"legbook explain: {text}", err=True)
    return typer.Exit(code)


def _from_file(file: Path, pbx: str, leg: int | None) -> Histories:
    """The number of a PBX is in its leg ids; those of several are counted as `legbook fold` counts them."""
    entries = list(read(file, pbx))
    alone = len({each.pbx for each in entries}) == 1
    return histories_of(entries, (leg or 0) & 0xFFF if alone else 0)


def _from_topic(pbx: str | None, leg: int | None) -> Histories:
    """With the inbound contexts of the fleet file, where there is one."""
    if pbx is None:
        raise _refusal("say which PBX: --pbx NAME, or give a file", 2)
    known = _fleet().get(pbx)
    number = known.number if known else (leg or 0) & 0xFFF
    entries = asyncio.run(_read_topic(pbx))
    return histories_of(entries, number, known.inbound_contexts if known else CONTEXTS)


def _fleet() -> Mapping[str, Pbx]:
    path = load(FleetSettings).fleet
    return fleet.load(path) if path.exists() else {}


async def _read_topic(pbx: str) -> list[Placed]:
    """All that the raw topic has of this PBX."""
    settings, found = load(KafkaSettings), list[Placed]()

    def put(record: Consumed) -> None:
        if record.key != pbx.encode() or record.value is None:
            return
        try:
            raw = decode_raw(record.value)
        except BadMessageError:
            return  # it is a dead letter already
        found.extend(Placed(raw.pbx, raw.epoch, raw.boot, entry) for entry in raw.entries)

    count = await partition_count(settings, RAW)
    typer.echo(f"legbook explain: reading {RAW.name} …", err=True)
    follower = Follower(settings, put, from_end=False)
    await until(follower.run([RAW.name], [partition_of(pbx, count)]), follower.caught_up.wait())
    typer.echo(f"legbook explain: {len(found):,} entries of {pbx}", err=True)
    return found


def _choose(legs: list[Leg], leg_id: int | None, channel: str | None, at: str | None) -> Leg:
    """The one leg that is meant. Exit code 2 with what to do next."""
    if (leg_id is None) == (channel is None):
        raise _refusal("say which one: --leg ID or --channel NAME", 2)
    found = [each for each in legs if each.leg_id == leg_id or (channel is not None and _has(each, channel))]
    if at is not None:
        moment = _moment(at)
        found = [each for each in found if _lived(each, moment)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise _refusal(f"no such leg among {len(legs)}: legbook fold --json lists those of a file", 2)
    lines = [f"  {each.leg_id}  {clock(each.born)} to {clock(each.end)}  {title(each)}" for each in found]
    raise _refusal("\n".join([f"{len(found)} legs: choose one with --leg or --at", *lines]), 2)


def _has(leg: Leg, channel: str) -> bool:
    return channel.lower() in {
        leg.srcchan.lower(),
        leg.dstchan.lower(),
        leg.srcuid.lower(),
        leg.dstuid.lower(),
    } - {""}


def _lived(leg: Leg, at: datetime | time) -> bool:
    """At some time of that second, if no fraction is said."""
    if leg.born is None:
        return False
    longer = timedelta(0) if at.microsecond else timedelta(seconds=1)
    begin = at if isinstance(at, datetime) else datetime.combine(leg.born.date(), at, tzinfo=UTC)
    if isinstance(at, time) and begin + longer < leg.born:
        begin += timedelta(days=1)  # a call that goes on over midnight
    return leg.born <= begin + longer and (leg.end is None or begin <= leg.end)


def _moment(text: str) -> datetime | time:
    """A whole moment, UTC without an offset, or a time of day in UTC."""
    try:
        if "T" not in text and " " not in text:
            return time.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _refusal(f"--at: wanted 12:00:03 or 2026-11-24T12:00:03Z (UTC), not {text}", 2) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
