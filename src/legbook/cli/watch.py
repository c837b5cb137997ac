"""`legbook watch`: `curcdr` as it changes, from the topic of live legs; which rows, and who is not listened to."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Final

import typer
from aiokafka import ConsumerRecord
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from curcdr_projector.columns import COLUMNS
from curcdr_projector.columns import row as columns_of
from legbook.cli import rows
from legbook.cli.lines import harmless
from legbook.cli.reaching import UNREACHABLE, drop_output, known_pbxs, partition_count, until, why
from legbook.cli.status import Newest, judged
from legbook.contracts import codec
from legbook.contracts.codec import BadMessageError
from legbook.contracts.legs import Leg
from legbook.contracts.topics import LEGS, STATUS
from legbook.runtime import logs
from legbook.runtime.fleet import FleetError
from legbook.runtime.follow import Follower
from legbook.runtime.settings import KafkaSettings, load
from legbook.runtime.stop import CANNOT_START

EVERY: Final = 0.15  # seconds between two looks
_Record = ConsumerRecord[Any, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which legs to show; None: any."""

    pbx: str | None = None
    did: str | None = None
    queue: str | None = None
    phone: str | None = None

    def __contains__(self, leg: Leg) -> bool:
        did = leg.peer.didnumber if leg.peer else leg.didnumber
        return (
            self.pbx in {None, leg.pbx}
            and self.did in {None, did, leg.didnumber}
            and self.queue in {None, leg.queue}
            and self.phone in {None, leg.srcdevice, leg.dstdevice}
        )


@dataclass(slots=True)
class View:
    """What the topics say: the live legs, and how well each PBX is listened to and folded."""

    zones: Mapping[str, tzinfo]
    legs: dict[bytes, Leg] = field(default_factory=dict)
    newest: Newest = field(default_factory=Newest)

    def put(self, record: _Record) -> None:
        key = record.key or b""
        if record.topic == STATUS.name:
            self.newest.put(record)
        elif record.value is None:
            self.legs.pop(key, None)
        else:
            try:
                self.legs[key] = codec.decode_leg(record.value)
            except BadMessageError as error:
                self.newest.unreadable.append(f"{record.topic} {record.partition}:{record.offset}: {error}")

    def rows(self, wanted: Wanted) -> list[rows.Row]:
        """By id, as a page that polls MySQL sees them."""
        here = datetime.now().astimezone().tzinfo or UTC
        found = sorted((leg for leg in self.legs.values() if leg in wanted), key=lambda leg: leg.leg_id)
        return [
            dict(zip(COLUMNS, columns_of(leg, self.zones.get(leg.pbx, here)), strict=True)) for leg in found
        ]

    def troubles(self, wanted: Wanted) -> list[str]:
        """What makes the rows less than the truth."""
        healths = judged(self.newest.statuses.values(), datetime.now(UTC))
        bad = [each for each in healths if not each.good and wanted.pbx in {None, each.pbx}]
        return [
            *(f"{each.pbx}: its listener is down, or its projector behind: legbook status" for each in bad),
            *(f"unreadable: {harmless(place)}" for place in self.newest.unreadable[-3:]),
        ]


def watch(
    *,
    pbx: Annotated[str | None, typer.Option(help="Only this PBX.", show_default=False)] = None,
    did: Annotated[str | None, typer.Option(help="Only calls to this number.", show_default=False)] = None,
    queue: Annotated[str | None, typer.Option(help="Only this queue.", show_default=False)] = None,
    phone: Annotated[
        str | None, typer.Option(help="Only this device, on either side: 201.", show_default=False)
    ] = None,
) -> None:
    """Show the live legs as they change, until Ctrl-C; without a terminal, a line a change."""
    logs.configure("error")
    try:
        asyncio.run(_watch(Wanted(pbx, did, queue, phone)))
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        drop_output()
    except FleetError as error:
        typer.echo(f"legbook watch: {error}", err=True)
        raise typer.Exit(CANNOT_START) from None
    except UNREACHABLE as error:
        typer.echo(f"legbook watch: {why(error)}", err=True)
        raise typer.Exit(CANNOT_START) from None


async def _watch(wanted: Wanted) -> None:
    settings, view = load(KafkaSettings), View({name: each.zone for name, each in known_pbxs().items()})
    partitions = range(await partition_count(settings, LEGS))
    follower = Follower(settings, view.put)
    show = _on_terminal if sys.stdout.isatty() else _in_lines
    await until(follower.run([LEGS.name, STATUS.name], partitions), show(follower, view, wanted))


async def _on_terminal(follower: Follower, view: View, wanted: Wanted) -> None:
    await follower.caught_up.wait()
    with Live(console=Console(), refresh_per_second=8) as live:
        while True:
            found = view.rows(wanted)
            troubles = (Text(line, "red") for line in view.troubles(wanted))
            live.update(Group(rows.table(found, f"{len(found)} live legs"), *troubles))
            await asyncio.sleep(EVERY)


async def _in_lines(follower: Follower, view: View, wanted: Wanted) -> None:
    changes, known = rows.Changes(), list[str]()
    await follower.caught_up.wait()
    while True:
        for line in changes.told(view.rows(wanted)):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        troubles = view.troubles(wanted)
        for line in troubles:
            if line not in known:
                typer.echo(f"legbook watch: {line}", err=True)
        known = troubles
        await asyncio.sleep(EVERY)
