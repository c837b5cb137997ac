"""`legbook fold`: recordings -> legs, talks and a summary, without a broker."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from legbook.calls import LegChange, PbxState, Surprise, Talk
from legbook.calls.changes import Change
from legbook.cli.lines import harmless
from legbook.cli.recordings import BadFileError, Placed, read
from legbook.contracts.legs import Leg

CONTEXTS = ("from-trunk", "from-did", "from-pstn")


@dataclass(slots=True)
class Folded:
    """What came out of the files: the newest state of every leg, the talks, and counts."""

    legs: dict[tuple[int, str, int], Leg] = field(default_factory=dict)  # by file, PBX and leg_id
    file: int = 0
    talks: list[Talk] = field(default_factory=list)
    frames: int = 0
    surprises: int = 0

    def take(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if isinstance(change, LegChange):
                self.legs[self.file, change.leg.pbx, change.leg.leg_id] = change.leg
            elif isinstance(change, Talk):
                self.talks.append(change)
            elif isinstance(change, Surprise):
                self.surprises += 1

    def shown(self, *, everything: bool) -> list[Leg]:
        """In order of birth; legs that ended as `dialled` only when all are wanted."""
        legs = [self.legs[key] for key in sorted(self.legs)]
        return [leg for leg in legs if everything or leg.end_reason != "dialled"]

    def summary(self) -> dict[str, Any]:
        legs = self.shown(everything=False)
        together = {uid for talk in self.talks for uid in talk.channels}
        calls = {(leg.pbx, leg.linkedid) for leg in legs if not leg.flags.spy_on}
        answered = {
            (leg.pbx, leg.linkedid)
            for leg in legs
            if not leg.flags.spy_on and (leg.answered or {leg.srcuid, leg.dstuid} & together)
        }
        self_service = calls - {(leg.pbx, leg.linkedid) for leg in legs if leg.kind != "caller"}
        return {
            "type": "summary",
            "frames": self.frames,
            "legs": len(legs),
            "open_legs": sum(leg.state != "ended" for leg in legs),
            "calls": len(calls),
            "answered_calls": len(answered),
            "missed_calls": len(calls - answered - self_service),
            "surprises": self.surprises,
        }


def fold(
    files: Annotated[list[Path], typer.Argument(help=".txt .json .jsonl .ndjson, each also .gz")],
    pbx: Annotated[str, typer.Option(help="Name of the PBX, where the file does not say.")] = "pbx",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also caller legs that became dial legs.")
    ] = False,
) -> None:
    """Fold recordings and print legs, talks and a summary."""
    folded = Folded()
    try:
        for file in files:
            fold_entries(read(file, pbx), folded)
    except BadFileError as error:
        typer.echo(f"legbook fold: {error}", err=True)
        raise typer.Exit(2) from None
    if any(leg.born is None for leg in folded.legs.values()):
        typer.echo("legbook fold: no times in this recording: they are null, and no timer fires", err=True)
    if as_json:
        for line in _lines(folded, everything=everything):
            sys.stdout.write(line + "\n")
    else:
        _table(folded, everything=everything)


def fold_entries(entries: Iterator[Placed], folded: Folded) -> None:
    """One file: its PBXs start from nothing, and its end is one second after its last entry."""
    states: dict[str, PbxState] = {}
    folded.file += 1
    for placed in entries:
        state = states.get(placed.pbx)
        if state is None:
            state = states[placed.pbx] = PbxState(placed.pbx, len(states), CONTEXTS)
        folded.frames += 1
        folded.take(state.apply(placed.entry, epoch=placed.epoch, boot=placed.boot))
    for state in states.values():
        if state.now is not None:
            folded.take(state.advance(state.now + timedelta(seconds=1)))


def _lines(folded: Folded, *, everything: bool) -> Iterator[str]:
    for leg in folded.shown(everything=everything):
        yield msgspec.json.encode({"type": "leg", **msgspec.to_builtins(leg)}).decode()
    for talk in folded.talks:
        facts = {"channels": talk.channels, "devices": talk.devices, "start": talk.start, "end": talk.end}
        yield msgspec.json.encode({"type": "talk", **facts}).decode()
    yield msgspec.json.encode(folded.summary()).decode()


def _table(folded: Folded, *, everything: bool) -> None:
    console = Console()
    table = Table("pbx", "kind", "src", "dst", "from", "to", "start", "ring", "talk", "outcome", box=None)
    for leg in folded.shown(everything=everything):
        start = leg.start.strftime("%H:%M:%S.%f")[:-3] if leg.start else "-"
        ring = f"{((leg.answer or leg.end) - leg.ring).total_seconds():.1f}" if leg.ring and leg.end else "-"
        outcome = leg.disposition or leg.end_reason or leg.state
        who = (leg.pbx, leg.kind, leg.src, leg.dst, leg.srcdevice, leg.dstdevice)
        what = (start, ring, f"{leg.billsec:.1f}", outcome)
        table.add_row(*(Text(harmless(text)) for text in (*who, *what)))
    console.print(table)
    facts = folded.summary()
    console.print("  ".join(f"{name} {value}" for name, value in facts.items() if name != "type"))
