"""Expected tables: the legs of one recording, read off its timeline by hand.

Columns are separated by two or more spaces, `-` is none, times are seconds from the first line.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from legbook.fakepbx.moments import from_seconds
from legbook.fakepbx.recording import Recording

Kind = Literal["dial", "caller"]
_COLUMNS = [
    "kind", "src", "dst", "dialled", "exten", "did", "caller", "called", "srcuid", "dstuid",
    "born", "start", "ring", "answer", "end", "disposition", "billsec", "cause", "queue",
]  # fmt: skip


class TableError(ValueError):
    """An expected table that cannot be read or does not fit its recording; names the file and the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One leg as recorded; the times are microseconds after the first line."""

    kind: Kind
    texts: dict[str, str | None]
    born: int
    start: int
    ring: int | None
    answer: int | None
    end: int
    billsec: float


def table_of(recording: Recording) -> Path:
    """`…/recordings/<profile>/<scenario>.jsonl.gz` -> `…/expected/<profile>/<scenario>.txt`."""
    folder = recording.path.parent
    scenario = recording.path.name.removesuffix(".gz").removesuffix(".jsonl")
    return folder.parent.parent / "expected" / folder.name / f"{scenario}.txt"


def read_table(path: Path, recording: Recording) -> list[Row]:
    header, rows = False, []
    known = {identity.text for identity in recording.identities}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        cells = re.split(r" {2,}", line.strip())
        where = f"{path}: line {number}"
        if not header:
            if cells[: len(_COLUMNS)] != _COLUMNS:  # what follows them is for others
                raise TableError(f"{where}: the columns are {' '.join(_COLUMNS)}, not {' '.join(cells)}")
            header = True
            continue
        rows.append(_row(cells, known, where))
    return rows


def _row(cells: list[str], known: set[str], where: str) -> Row:
    if len(cells) < len(_COLUMNS):
        raise TableError(f"{where}: {len(cells)} columns instead of {len(_COLUMNS)}")
    texts = {name: None if cell == "-" else cell for name, cell in zip(_COLUMNS, cells, strict=False)}
    if texts["kind"] not in get_args(Kind):
        raise TableError(f"{where}: kind {texts['kind']} is neither dial nor caller")
    for name in ("srcuid", "dstuid"):
        if texts[name] is not None and texts[name] not in known:
            raise TableError(f"{where}: {name} {texts[name]} does not occur in the recording")
    born, start, ring, answer, end = (
        _time(texts, name, where) for name in ("born", "start", "ring", "answer", "end")
    )
    if born is None or end is None:
        raise TableError(f"{where}: a leg has a born and an end")
    return Row(
        cast("Kind", texts["kind"]),
        texts,
        born,
        born if start is None else start,
        ring,
        answer,
        end,
        _seconds(texts["billsec"] or "0", f"{where}: billsec"),
    )


def _time(texts: dict[str, str | None], name: str, where: str) -> int | None:
    text = texts[name]
    return None if text is None else from_seconds(_seconds(text, f"{where}: {name}"))


def _seconds(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise TableError(f"{where}: {text} is not a number of seconds") from error
