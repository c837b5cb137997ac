"""What the tests play: the recordings of the repository, and small ones written on the spot."""

import gzip
import json
from pathlib import Path
from typing import Any

from legbook.ami.framing import Framer
from legbook.ami.message import Message, parse
from legbook.fakepbx.identities import Mint
from legbook.fakepbx.player import Playlist, Round, Timeline
from legbook.fakepbx.recording import Recording
from tests.recorded import PLAYED

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDINGS = PLAYED
NAMES = [f"{path.parent.name}/{path.name.partition('.')[0]}" for path in RECORDINGS]
BEGIN = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z


def recording(name: str) -> Path:
    return FIXTURES / "recordings" / f"{name}.jsonl.gz"


RING_GROUP = recording("22.10.1-pjsip/06-ringgroup-202-answers")
SIMPLE = recording("16.28.0-chan_sip/01-simple-answered")


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A recording of our own; gzip by its name."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def event(t: float, name: str, **headers: str | list[str]) -> dict[str, Any]:
    return {"t": t, "event": {"Event": name, "Privilege": "call,all", **headers}}


def timeline(playlist: Playlist) -> tuple[Timeline, list[Round]]:
    opened: list[Round] = []
    return Timeline(playlist, begins=BEGIN, mint=Mint("hq", BEGIN), opened=opened), opened


def play(*recordings: Recording, rounds: int = 1, spacing: float | None = None) -> list[bytes]:
    """Every event of the whole playlist."""
    line, _ = timeline(Playlist(recordings, rounds=rounds, spacing=spacing))
    events: list[bytes] = []
    while batch := line.take(None, 100)[0]:
        events += [data for _, data in batch]
    return events


def parsed(events: list[bytes]) -> list[Message]:
    framer = Framer()
    framer.feed(b"Asterisk Call Manager/11.0.0\r\n")
    return [parse(frame) for frame in framer.feed(b"".join(events))]
