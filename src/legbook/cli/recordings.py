"""Files that `legbook fold` reads: recordings, raw AMI text, lists of events, dumps of the raw topic."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from legbook.ami.framing import Framer
from legbook.ami.message import Fields, first, parse
from legbook.contracts.codec import BadMessageError, decode_raw
from legbook.contracts.raw import Entry, Event

_JITTER = 2.5  # seconds


class BadFileError(ValueError):
    """Not a file that can be folded: which one, which line, why."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry with what its record says: whose, which epoch and boot."""

    pbx: str
    epoch: int
    boot: int | None
    entry: Entry


def read(path: Path, pbx: str) -> Iterator[Placed]:
    """The entries of a file, by the ending of its name. BadFileError."""
    name = path.name.removesuffix(".gz")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise BadFileError(
            f"{path}: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
        ) from None
    if name.endswith(".ndjson"):
        yield from _dump(path, content)
        return
    events = _text(content) if name.endswith(".txt") else _listed(path, name, content)
    boot: int | None = None
    for seq, (fields, received) in enumerate(events, 1):
        at = _time(first(fields, "Timestamp"))
        if (
            (uptime := first(fields, "Uptime"))
            and first(fields, "Event") == "FullyBooted"
            and (at or received)
        ):
            boot = _boot(boot, int((at or received or datetime.now(UTC)).timestamp()) - int(uptime))
        yield Placed(pbx, 1, boot, _event(seq, fields, at, received))


def _boot(known: int | None, seen: int) -> int:
    """Uptime is whole seconds and jitters by one between logins (26)."""
    return known if known is not None and abs(seen - known) <= _JITTER else seen


def _event(seq: int, fields: Fields, at: datetime | None, received: datetime | None) -> Event:
    kept = {name: value for name, value in fields.items() if name != "_rx"}
    return Event(seq=seq, at=at, received_at=received, name=first(fields, "Event"), fields=kept)


def _text(content: bytes) -> Iterator[tuple[Fields, datetime | None]]:
    """Raw bytes of a socket; the greeting may be missing."""
    framer = Framer()
    head = b"" if content.startswith(b"Asterisk Call Manager/") else b"\r\n"
    for frame in framer.feed(head + content):
        message = parse(frame)
        if "Event" in message.fields:
            yield message.fields, None


def _listed(path: Path, name: str, content: bytes) -> Iterator[tuple[Fields, datetime | None]]:
    if name.endswith(".json"):
        yield from ((fields, _moment(fields.get("_rx"))) for fields in _objects(path, content))
    elif name.endswith(".jsonl"):
        for number, line in enumerate(content.splitlines(), 1):
            row = _object(path, number, line)
            if isinstance(row.get("event"), dict):
                yield row["event"], _moment(row.get("t"))
    else:
        raise BadFileError(f"{path}: wanted .txt, .json, .jsonl or .ndjson, each also .gz")


def _objects(path: Path, content: bytes) -> Iterable[dict[str, Any]]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise BadFileError(f"{path}: {error}") from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadFileError(f"{path}: wanted a JSON list of events")
    return found


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadFileError(f"{path}: line {number}: {error}") from None
    if not isinstance(row, dict):
        raise BadFileError(f"{path}: line {number}: wanted an object")
    return row


def _dump(path: Path, content: bytes) -> Iterator[Placed]:
    for number, line in enumerate(content.splitlines(), 1):
        try:
            record = decode_raw(line)
        except BadMessageError as error:
            raise BadFileError(f"{path}: line {number}: {error}") from None
        for entry in record.entries:
            yield Placed(record.pbx, record.epoch, record.boot, entry)


def _time(text: str) -> datetime | None:
    try:
        return _moment(float(text))
    except ValueError:
        return None


def _moment(seconds: object) -> datetime | None:
    if not isinstance(seconds, int | float):
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(seconds * 1_000_000))
