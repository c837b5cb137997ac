"""`legbook status`: how well each PBX is listened to and folded, as listener and projector say it themselves."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
import typer
from aiokafka import ConsumerRecord
from rich.console import Console
from rich.table import Table
from rich.text import Text

from legbook.cli.lines import harmless, unix
from legbook.cli.reaching import PATIENCE, UNREACHABLE, partition_count, until, why
from legbook.contracts import codec
from legbook.contracts.codec import BadMessageError
from legbook.contracts.status import IngestStatus, ProjectorStatus, Status
from legbook.contracts.topics import STATUS
from legbook.runtime import logs
from legbook.runtime.follow import Follower
from legbook.runtime.settings import KafkaSettings, load
from legbook.runtime.stop import CANNOT_START

BEHIND: Final = 10.0  # seconds from which a projector is too late
SLOW: Final = 2.0  # and from which it is worth a look
SILENT: Final = 30.0  # seconds after which a listener that speaks every ten is not believed any more
_WIDE: Final = 200  # columns of a file or pipe


@dataclass(slots=True)
class Newest:
    """Of each key the record of the highest epoch, of equal epochs the newest; a tombstone ends a key."""

    statuses: dict[bytes, Status] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def put(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        key = record.key or b""
        if record.value is None:
            self.statuses.pop(key, None)
            return
        try:
            status = codec.decode_status(record.value)
        except (BadMessageError, RecursionError) as error:
            self.unreadable.append(f"{record.topic} {record.partition}:{record.offset}: {error}")
            return
        known = self.statuses.get(key)
        if known is None or status.epoch >= known.epoch:
            self.statuses[key] = status


@dataclass(frozen=True, slots=True)
class Health:
    """Of one PBX, at one moment of our clock."""

    pbx: str
    now: datetime
    ingest: IngestStatus | None = None
    projector: ProjectorStatus | None = None

    @property
    def silent(self) -> bool:
        """Its listener has not spoken for so long that it may be dead."""
        return self.ingest is not None and self.since(self.ingest.at) >= SILENT

    @property
    def lag(self) -> float | None:
        """As told, and what has passed since then."""
        return None if self.projector is None else self.projector.lag + self.since(self.projector.at)

    @property
    def good(self) -> bool:
        listening = self.ingest is not None and self.ingest.state == "up" and not self.silent
        return listening and self.lag is not None and self.lag < BEHIND

    def since(self, moment: datetime) -> float:
        """Seconds; a clock that is ahead of ours has no future."""
        return max(0.0, (self.now - moment).total_seconds())

    def facts(self) -> dict[str, Any]:
        """What a program reads: the verdict, and the records it is made of."""
        return {
            "pbx": self.pbx,
            "good": self.good,
            "lag": self.lag,
            "silent": self.silent,
            "ingest": self.ingest,
            "projector": self.projector,
        }


def judged(statuses: Iterable[Status], now: datetime) -> list[Health]:
    """By name."""
    ingest, projector = dict[str, IngestStatus](), dict[str, ProjectorStatus]()
    for each in statuses:
        if isinstance(each, IngestStatus):
            ingest[each.pbx] = each
        else:
            projector[each.pbx] = each
    pbxs = sorted(ingest.keys() | projector.keys())
    return [Health(pbx, now, ingest.get(pbx), projector.get(pbx)) for pbx in pbxs]


def table(healths: Iterable[Health]) -> Table:
    made = Table("pbx", "listener", "Asterisk", "booted", "last gap", box=None)
    for name in ("lag", "live legs", "late"):
        made.add_column(name, justify="right")
    made.add_column("suspect")
    for each in healths:
        made.add_row(Text(each.pbx), *_listener(each), *_projector(each))
    return made


def _listener(health: Health) -> tuple[Text, ...]:
    ingest = health.ingest
    if ingest is None:
        return (Text("never heard of", "red"), *map(Text, "---"))
    state = f"{ingest.state} for {age(health.since(ingest.since))}"
    reason = f": {ingest.reason}" if ingest.reason else ""
    silence = f", silent for {age(health.since(ingest.at))}" if health.silent else ""
    colour = "red" if ingest.state == "down" else "yellow" if health.silent else "green"
    booted = unix(ingest.boot) if ingest.boot else None
    boot = Text(f"{booted:%Y-%m-%d %H:%M}" if booted else "-")
    gap = _ago(health, ingest.last_gap)
    version = Text(harmless(ingest.asterisk or "-"))
    return Text(harmless(state + reason + silence), colour), version, boot, gap


def _projector(health: Health) -> tuple[Text, ...]:
    projector, lag = health.projector, health.lag
    if projector is None or lag is None:
        return (Text("never heard of", "red"), *map(Text, "---"))
    slow = "green" if lag < SLOW else "yellow" if lag < BEHIND else "red"
    late = Text(str(projector.late_entries), "yellow" if projector.late_entries else "")
    suspect = _ago(health, projector.suspect_since, "yellow")
    return Text(f"{lag:.1f} s" if lag < 60 else age(lag), slow), Text(str(projector.live_legs)), late, suspect


def _ago(health: Health, moment: datetime | None, style: str = "") -> Text:
    return Text(f"{age(health.since(moment))} ago", style) if moment else Text("-")


def age(seconds: float) -> str:
    """In words, of one unit."""
    for name, size in (("day", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if name == 'day' and count > 1 else ''}"
    return f"{int(seconds)} s"


def status(
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a PBX.")] = False,
) -> None:
    """Show how well each PBX is listened to and folded.

    Exit code 0: every PBX is up and its projector less than 10 s behind; 1: one is not, or nothing has reported.
    """
    logs.configure("error")
    try:
        newest = asyncio.run(_read())
    except UNREACHABLE as error:
        typer.echo(f"legbook status: {why(error)}", err=True)
        raise typer.Exit(CANNOT_START) from None
    for place in newest.unreadable:
        typer.echo(f"legbook status: unreadable: {place}", err=True)
    healths = judged(newest.statuses.values(), datetime.now(UTC))
    if not healths:
        typer.echo("legbook status: nothing has reported yet: does ami_ingest run?", err=True)
    elif json:
        for each in healths:
            typer.echo(msgspec.json.encode(each.facts()).decode())
    else:
        console = Console()
        console.width = console.width if console.is_terminal else _WIDE
        console.print(table(healths))
    raise typer.Exit(0 if healths and all(each.good for each in healths) else 1)


async def _read() -> Newest:
    """One of UNREACHABLE."""
    settings, newest = load(KafkaSettings), Newest()
    partitions = range(await partition_count(settings, STATUS))
    follower = Follower(settings, newest.put)
    async with asyncio.timeout(PATIENCE):
        await until(follower.run([STATUS.name], partitions), follower.caught_up.wait())
    return newest
