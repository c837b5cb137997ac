"""One recording as templates: every event's offset and bytes, with slots where a round puts fresh identities.

A line of the file is an object with `t` and one of banner, response, event, closed.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from legbook.fakepbx.identities import Finder, Identity
from legbook.fakepbx.moments import from_seconds

_KINDS = ("banner", "response", "event", "closed")
_SKIPPED = frozenset({"FullyBooted", "CEL"})
TIMESTAMP = 0  # the slot of the event's own time


class RecordingError(ValueError):
    """Not a recording: the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """`offset`: microseconds since the first line of the recording; `fields`: repeated headers one by one."""

    offset: int
    fields: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return self.fields[0][1]


@dataclass(frozen=True, slots=True)
class EventType:
    """`classes`: the words of its Privilege, which a session's mask must all hold."""

    name: str
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Template:
    """`pattern % pick(values)` are the bytes of this event in the round that has these values."""

    offset: int
    type: EventType
    pattern: bytes
    pick: Callable[[list[bytes]], Any]


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """`identities[i]` stands in slot i + 1 and is first used at `first_used[i]`; slot 0 is the Timestamp."""

    path: Path
    banner: str
    system_name: str
    events: tuple[RecordedEvent, ...] = field(repr=False)
    templates: tuple[Template, ...] = field(repr=False)
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
    finder = Finder(pair for event in events for pair in event.fields)
    slots: dict[Identity, int] = {}
    first_used: list[int] = []
    templates = []
    for event in events:
        templates.append(_template(event, finder, slots))
        first_used += [event.offset] * (len(slots) - len(first_used))
    system = next((v for event in events for name, v in event.fields if name == "SystemName"), "")
    return Recording(path, banner, system, tuple(events), tuple(templates), tuple(slots), tuple(first_used))


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


def _fields(content: Any, where: str) -> tuple[tuple[str, str], ...]:
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


def _offset(fields: tuple[tuple[str, str], ...], t: int, first: int, before: list[RecordedEvent]) -> int:
    """By the Timestamp of the PBX where there is one; never before the event in front of it."""
    stamp = dict(fields).get("Timestamp")
    offset = (from_seconds(stamp) if stamp else t) - first
    return max(offset, before[-1].offset if before else 0)


def _template(event: RecordedEvent, finder: Finder, slots: dict[Identity, int]) -> Template:
    """Adds the identities that it is the first to use to `slots`."""
    fields = [(name, value) for name, value in event.fields if name != "Timestamp"]
    after = next((i for i, (name, _) in enumerate(fields) if name == "Privilege"), 0)
    picked: list[int] = []
    lines: list[bytes] = []
    for i, (name, value) in enumerate(fields):
        line = b"%s: " % _literal(name)
        for part in finder.cut(value):
            if isinstance(part, Identity):
                picked.append(slots.setdefault(part, len(slots) + 1))
                line += b"%b"
            else:
                line += _literal(part)
        lines.append(line)
        if i == after:
            lines.append(b"Timestamp: %b")
            picked.append(TIMESTAMP)
    pattern = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    kind = event_type(event.name, dict(fields).get("Privilege", ""))
    return Template(event.offset, kind, pattern, itemgetter(*picked))


def event_type(name: str, privilege: str) -> EventType:
    return EventType(name, frozenset(privilege.lower().split(",")) - {"all", "", "<none>"})


def _literal(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape").replace(b"%", b"%%")
