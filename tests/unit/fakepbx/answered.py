"""Lists that real Asterisks gave in the middle of calls, each with the events that had come before it.

26 is a recording as any other, 30 too; the rest of tests/fixtures/lists asked for every list again and again.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from legbook.ami.message import Fields, first
from legbook.fakepbx.moments import from_seconds
from tests.unit.fakepbx.samples import FIXTURES

PATHS = sorted(
    [*FIXTURES.glob("recordings/*/26-*+second.jsonl.gz"), *FIXTURES.glob("lists/*/*.jsonl.gz")],
    key=lambda path: path.name,
)
NAMES = [f"{path.parent.name}/{path.name.partition('.')[0]}" for path in PATHS]
Frames = list[tuple[int, Fields]]


@dataclass(frozen=True, slots=True)
class Answer:
    """`cut`: how many events had come before its end; `at`: the moment of its beginning."""

    cut: int
    at: int
    items: list[dict[str, str | list[str]]]
    complete: dict[str, str]

    @property
    def name(self) -> str:
        """`StatusComplete` -> Status."""
        return self.complete["Event"].removesuffix("Complete")


def major(path: Path) -> int:
    return int(path.parent.name.partition(".")[0])


def read(path: Path) -> tuple[Frames, list[Answer]]:
    """All events, and all list answers."""
    frames: Frames = []
    begun: dict[str, int] = {}
    items: dict[str, list[dict[str, str | list[str]]]] = {}
    answers = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            event, moment = row.get("event"), from_seconds(row["t"])
            if "response" in row:
                begun[row["response"]["ActionID"]] = moment
            if event is None:
                continue
            action = event.get("ActionID")
            if action is None or event["Event"] == "OriginateResponse":
                stamp = first(event, "Timestamp")
                frames.append((from_seconds(stamp) if stamp else moment, event))
            elif event.get("EventList") == "Complete":
                answers.append(Answer(len(frames), begun[action], items.pop(action, []), event))
            else:
                items.setdefault(action, []).append(event)
    return frames, answers
