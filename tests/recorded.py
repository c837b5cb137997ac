"""The recordings under tests/fixtures, their entries, and the tables of what must come out of them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from legbook.calls import LegChange, PbxState, Talk
from legbook.cli.recordings import Placed, read
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Event

FIXTURES = Path(__file__).parent / "fixtures"
RECORDINGS = sorted((FIXTURES / "recordings").glob("*/*.jsonl.gz"))
# Calls that the fake PBX plays and knows the outcome of by itself.
SCENARIOS_PLAYED = frozenset(
    "01 01c 01d 01e 01f 02 03 04 05d 05e 06 07 12 12b 13 14 14b 17a 17b".split()  # noqa: SIM905
)
PLAYED = [path for path in RECORDINGS if path.name.partition("-")[0] in SCENARIOS_PLAYED]
RING_GROUP = FIXTURES / "recordings/22.10.1-pjsip-systemname-timestamps/06-ringgroup-202-answers.jsonl.gz"
CONTEXTS = ("from-trunk",)


def name_of(recording: Path) -> str:
    return f"{recording.parent.name}/{recording.name.removesuffix('.jsonl.gz')}"


def entries(recording: Path) -> list[Placed]:
    return list(read(recording, "hq"))


def first_line(recording: Path) -> datetime:
    """The moment from which the expected table counts."""
    placed = entries(recording)
    assert isinstance(placed[0].entry, Event)
    received = placed[0].entry.received_at
    assert received is not None
    return received.astimezone(UTC)


def expected(recording: Path) -> list[dict[str, str]]:
    [table] = tables(FIXTURES / "expected" / f"{name_of(recording)}.txt")
    return table


def expected_talks(recording: Path) -> list[dict[str, str]]:
    [table] = tables(FIXTURES / "expected" / f"{name_of(recording)}.talks.txt")
    return table


def tables(path: Path) -> list[list[dict[str, str]]]:
    """The tables of a file, parted by empty lines; `#` begins a line of prose, two spaces or more part the cells."""
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).strip("\n")
    return [_table(block.splitlines()) for block in re.split(r"\n{2,}", text)]


def _table(lines: list[str]) -> list[dict[str, str]]:
    head, *rows = [re.split(r" {2,}", line.strip()) for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def new_state() -> PbxState:
    return PbxState("hq", 1, CONTEXTS)


@dataclass(slots=True)
class Folded:
    """What a list of entries gave: every change in order, and the newest state of each leg."""

    state: PbxState
    changes: list[LegChange]
    talks: list[Talk]

    @property
    def legs(self) -> list[Leg]:
        newest = {change.leg.leg_id: change.leg for change in self.changes}
        return [newest[leg_id] for leg_id in sorted(newest) if newest[leg_id].end_reason != "dialled"]


def fold(placed: list[Placed], state: PbxState | None = None) -> Folded:
    state = state or new_state()
    folded = Folded(state, [], [])
    for each in placed:
        found = state.apply(each.entry, epoch=each.epoch, boot=each.boot)
        folded.changes += [change for change in found if isinstance(change, LegChange)]
        folded.talks += [change for change in found if isinstance(change, Talk)]
    return folded
