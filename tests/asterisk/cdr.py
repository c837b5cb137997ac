"""The call detail records that Asterisk itself writes: the independent truth beside ours."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

FILE = "legbook.csv"
COLUMNS = (
    "src", "dst", "channel", "dstchannel", "start", "answer", "end",
    "duration", "billsec", "disposition", "uniqueid", "linkedid",
)  # fmt: skip
TIMES = ("start", "answer", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdr:
    src: str
    dst: str
    channel: str
    dstchannel: str
    start: datetime
    answer: datetime | None
    end: datetime
    duration: int
    billsec: int
    disposition: str
    uniqueid: str
    linkedid: str

    @property
    def called(self) -> str:
        """The extension of the called phone; empty for anything else, such as a Local channel."""
        technology, _, rest = self.dstchannel.partition("/")
        return rest.partition("-")[0] if technology == "PJSIP" else ""

    @classmethod
    def from_row(cls, row: dict[str, str]) -> Self:
        answer = _time(row.pop("answer"))
        start, end = (datetime.fromtimestamp(float(row.pop(name)), UTC) for name in ("start", "end"))
        duration, billsec = int(row.pop("duration")), int(row.pop("billsec"))
        return cls(start=start, answer=answer, end=end, duration=duration, billsec=billsec, **row)


def mapping() -> str:
    """The line of cdr_custom.conf; times as Unix seconds with their fraction."""
    cells = [f"${{CSV_QUOTE(${{CDR({name}{',u' if name in TIMES else ''})}})}}" for name in COLUMNS]
    return f"{FILE} => {','.join(cells)}"


def read_cdrs(path: Path) -> list[Cdr]:
    """Every whole record in the file; a line that is still being written is left for later."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1].splitlines()
    return [Cdr.from_row(row) for row in csv.DictReader(whole, COLUMNS)]


def _time(seconds: str) -> datetime | None:
    """Asterisk writes 0.000000 for what did not happen."""
    return datetime.fromtimestamp(float(seconds), UTC) if float(seconds or 0) else None
