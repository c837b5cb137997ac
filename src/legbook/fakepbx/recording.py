"""One recording: its events, and the templates that rounds play.

A line of the file is an object with `t` and one of banner, response, event, closed.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from legbook.fakepbx.identities import Identity
from legbook.fakepbx.moments import from_seconds
from legbook.fakepbx.templates import Fields, Press, Template

_KINDS = ("banner", "response", "event", "closed")
_SKIPPED = frozenset({"FullyBooted", "CEL"})


class RecordingError(ValueError):
    """Not a recording: the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """`offset`: microseconds since the first line of the recording; `fields`: repeated headers one by one."""

    offset: int
    fields: Fields

    @property
    def name(self) -> str:
        return self.fields[0][1]


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """`identities[i]` stands in slot i + 1 and is first used at `first_used[i]`; slot 0 is the Timestamp.

    `press` makes further templates of the same identities.
    """

    path: Path
    banner: str
    system_name: str
    events: tuple[RecordedEvent, ...] = field(repr=False)
    templates: tuple[Template, ...] = field(repr=False)
    press: Press = field(repr=False)
    identities: tuple[Identity, ...] = field(repr=False)
    first_used: tuple[int, ...] = field(repr=False)

    @property
    def length(self) -> int:
        return self.templates[-1].offset

    @property
    def asterisk(self) -> str:
        """The version, from the folder: `22.10.1-pjsip` -> `22.10.1`."""
        return self.path.parent.name.partition("-")[0]


def load(path: Path) -> Recording:
    """Reads `.jsonl` and `.jsonl.gz`."""
    banner, events = _read(path)
    if not events:
        raise RecordingError(f"{path}: a recording without call events")
    press = Press(pair for event in events for pair in event.fields)
    first_used: list[int] = []
    templates = []
    for event in events:
        templates.append(press.template(event.offset, event.fields))
        first_used += [event.offset] * (len(press.slots) - len(first_used))
    system = next((v for event in events for name, v in event.fields if name == "SystemName"), "")
    return Recording(
        path, banner, system, tuple(events), tuple(templates), press, tuple(press.slots), tuple(first_used)
    )


def _read(path: Path) -> tuple[str, list[RecordedEvent]]:
    banner, first = "Asterisk Call Manager/5.0.4", None
    events: list[RecordedEvent] = []
    for number, line in enumerate(_lines(path), 1):
        kind, t, content = _row(line, f"{path}: line {number}")
        first = t if first is None else first
        if kind == "banner":
            banner = str(content)
        elif kind == "event":
            fields = _fields(content, f"{path}: line {number}")
            if _is_played(dict(fields)):
                events.append(RecordedEvent(_offset(fields, t, first, events), fields))
    return banner, events


def _lines(path: Path) -> Iterator[str]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as file
        ):
            yield from file
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RecordingError(f"{path}: cannot be read: {reason}") from error


def _row(line: str, where: str) -> tuple[str, int, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise RecordingError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("t"), int | float):
        raise RecordingError(f"{where}: an object with a number `t` is wanted")
    kind = next((kind for kind in _KINDS if kind in row), None)
    if kind is None:
        raise RecordingError(f"{where}: one of {', '.join(_KINDS)} is wanted")
    return kind, from_seconds(row["t"]), row[kind]


def _fields(content: Any, where: str) -> Fields:
    if not isinstance(content, dict) or next(iter(content), None) != "Event":
        raise RecordingError(f"{where}: an event is an object of headers that starts with Event")
    pairs = []
    for name, value in content.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in values):
            raise RecordingError(f"{where}: {name} is neither a text nor a list of texts")
        pairs += [(name, text) for text in values]
    return tuple(pairs)


def _is_played(fields: dict[str, str]) -> bool:
    """Not what belongs to the AMI session that recorded: its login, security events, answers to its lists."""
    if fields["Event"] in _SKIPPED or "security" in fields.get("Privilege", "").split(","):
        return False
    return "ActionID" not in fields or fields["Event"] == "OriginateResponse"


def _offset(fields: Fields, t: int, first: int, before: list[RecordedEvent]) -> int:
    """By the Timestamp of the PBX where there is one; never before the event in front of it."""
    stamp = dict(fields).get("Timestamp")
    offset = (from_seconds(stamp) if stamp else t) - first
    return max(offset, before[-1].offset if before else 0)
