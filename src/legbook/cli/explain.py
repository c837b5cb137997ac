"""`legbook explain`: the events that made one leg what it is, the rules they met, and why it ended so."""

import asyncio
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from aiokafka import ConsumerRecord

from legbook.calls.corrections import WINDOW
from legbook.calls.legs import YEAR_2025
from legbook.cli.fold import CONTEXTS
from legbook.cli.history import Histories, as_json, as_text, clock, histories_of, title
from legbook.cli.lines import harmless
from legbook.cli.reaching import UNREACHABLE, known_pbxs, partition_count, until, why
from legbook.cli.recordings import BadFileError, Placed, read
from legbook.contracts.codec import BadMessageError, decode_raw
from legbook.contracts.legs import Leg
from legbook.contracts.topics import RAW, partition_of
from legbook.runtime import logs
from legbook.runtime.fleet import FleetError
from legbook.runtime.follow import Follower
from legbook.runtime.settings import KafkaSettings, load
from legbook.runtime.stop import CANNOT_START

_WINDOW: Final = timedelta(seconds=WINDOW)  # in which an estimated end may still be corrected


def explain(
    file: Annotated[
        Path | None, typer.Argument(help="A recording; without one, the raw topic of --pbx.")
    ] = None,
    *,
    leg: Annotated[
        int | None,
        typer.Option(help="Its id: curcdr.id, mycdr.leg_id.", min=0, max=2**53 - 1, show_default=False),
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
    back: Annotated[
        float, typer.Option(help="Hours before it that the topic is read from.", min=0, max=168)
    ] = 1.0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Say why a leg is what it is: its events, the rules they met, what changed."""
    logs.configure("warning")
    wanted = _wanted(leg, channel, at)
    try:
        histories = _from_file(file, pbx or "pbx", wanted) if file else _from_topic(pbx, wanted, back)
    except BadFileError as error:
        raise _refusal(str(error), 2) from None
    except FleetError as error:
        raise _refusal(str(error), CANNOT_START) from None
    except UNREACHABLE as error:
        raise _refusal(why(error), CANNOT_START) from None
    elsewhere = "legbook fold --json lists those of a file" if file else "--back HOURS reads more"
    chosen = _choose(histories.legs, wanted, elsewhere)
    for line in (as_json if json else as_text)(chosen, histories):
        sys.stdout.write("\n".join(map(harmless, line.split("\n"))) + "\n")


def _refusal(text: str, code: int) -> typer.Exit:
    typer.echo(f"legbook explain: {text}", err=True)
    return typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which leg is asked for: `leg_id` or else `channel`, in lower case."""

    leg_id: int | None
    channel: str
    at: datetime | time | None

    @property
    def when(self) -> datetime | None:
        """A moment of its life, if the question names one: its id holds its birth."""
        if self.leg_id is not None:
            return YEAR_2025 + timedelta(milliseconds=self.leg_id >> 12)
        return self.at if isinstance(self.at, datetime) else None

    @property
    def number(self) -> int:
        """That of its PBX, which its id holds too."""
        return (self.leg_id or 0) & 0xFFF

    def among(self, legs: Iterable[Leg]) -> list[Leg]:
        return [
            leg
            for leg in legs
            if (leg.leg_id == self.leg_id if self.leg_id is not None else _has(leg, self.channel))
            and (self.at is None or _lived(leg, self.at))
        ]


def _wanted(leg: int | None, channel: str | None, at: str | None) -> _Wanted:
    if (leg is None) == (channel is None):
        raise _refusal("say which one: --leg ID or --channel NAME", 2)
    return _Wanted(leg, (channel or "").lower(), None if at is None else _moment(at))


def _from_file(file: Path, pbx: str, wanted: _Wanted) -> Histories:
    """The number of a PBX is in its leg ids; those of several are counted as `legbook fold` counts them."""
    entries = list(read(file, pbx))
    alone = len({each.pbx for each in entries}) == 1
    return histories_of(entries, wanted.number if alone else 0)


def _from_topic(pbx: str | None, wanted: _Wanted, back: float) -> Histories:
    """With the inbound contexts of the fleet file, where there is one."""
    if pbx is None:
        raise _refusal("say which PBX: --pbx NAME, or give a file", 2)
    known = known_pbxs().get(pbx)
    number, contexts = (known.number, known.inbound_contexts) if known else (wanted.number, CONTEXTS)
    reading = _Reading(pbx, wanted, Histories(number, contexts))
    asyncio.run(_read_topic(reading, wanted.when and wanted.when - timedelta(hours=back)))
    reading.histories.end()
    return reading.histories


class _Reading:
    """Folds what the raw topic has of one PBX, until nothing that comes later can change the leg."""

    def __init__(self, pbx: str, wanted: _Wanted, histories: Histories) -> None:
        self.pbx, self._wanted, self.histories = pbx, wanted, histories
        self.entries = 0
        self.enough = asyncio.Event()
        self._until = wanted.when and wanted.when + _WINDOW

    def put(self, record: ConsumerRecord[Any, Any]) -> None:
        if record.key != self.pbx.encode() or record.value is None:
            return
        try:
            raw = decode_raw(record.value)
        except BadMessageError:
            return  # it is a dead letter already
        for entry in raw.entries:
            self.take(Placed(raw.pbx, raw.epoch, raw.boot, entry))

    def take(self, each: Placed) -> None:
        if self.enough.is_set():
            return
        self.entries += 1
        self.histories.apply(each)
        now = each.entry.at or each.entry.received_at
        if self._until and now and now >= self._until and self._is_over(now):
            self.enough.set()

    def _is_over(self, now: datetime) -> bool:
        """Asked again when it may have become so: while a leg lives, a window later."""
        found = self._wanted.among(self.histories.legs)
        self._until = max([self._until or now, *((leg.end or now) + _WINDOW for leg in found)])
        return now >= self._until


async def _read_topic(reading: _Reading, since: datetime | None) -> None:
    settings = load(KafkaSettings)
    count = await partition_count(settings, RAW)
    begin = f"{since:%Y-%m-%dT%H:%M:%SZ}; --back HOURS reads more" if since else "its oldest record"
    typer.echo(f"legbook explain: reading {RAW.name} from {begin}", err=True)
    typer.echo("legbook explain: of calls that are older it knows only what they did since", err=True)
    follower = Follower(settings, reading.put, since=since)
    following = follower.run([RAW.name], [partition_of(reading.pbx, count)])
    await until(until(following, follower.caught_up.wait()), reading.enough.wait())
    typer.echo(f"legbook explain: {reading.entries:,} entries of {reading.pbx}", err=True)


def _choose(legs: list[Leg], wanted: _Wanted, elsewhere: str) -> Leg:
    """The one leg that is meant. Exit code 2 with what to do next."""
    found = wanted.among(legs)
    if len(found) == 1:
        return found[0]
    if not found:
        raise _refusal(f"no such leg among {len(legs)}: {elsewhere}", 2)
    lines = [f"  {each.leg_id}  {clock(each.born)} to {clock(each.end)}  {title(each)}" for each in found]
    raise _refusal("\n".join([f"{len(found)} legs: choose one with --leg or --at", *lines]), 2)


def _has(leg: Leg, channel: str) -> bool:
    return channel in {
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
