"""Rows of `curcdr` for people: as a table, and as one line a change. Knows nothing of where they come from."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from legbook.cli.lines import harmless

Row = dict[str, Any]
_COLOURS: Final = {"RING": "cyan", "DIAL": "blue", "RINGING": "yellow", "LINK": "green"}
_COLUMNS: Final = ("id", "pbx", "src", "dst", "did", "queue", "dstchan", "disposition", "since", "answered")


def table(rows: Sequence[Row], title: str) -> Table:
    made = Table(*_COLUMNS, title=title, title_justify="left", min_width=100)
    for row in rows:
        texts = [str(row[name]) for name in ("id", "pbx", "src", "dst", "didnumber", "queue", "dstchan")]
        state = Text(row["disposition"], style=_COLOURS.get(row["disposition"], ""))
        made.add_row(
            *(Text(harmless(text)) for text in texts),
            state,
            _time(row["starttime"]),
            _time(row["answertime"]),
        )
    return made


class Changes:
    """Told the rows there are now, as often as you like: what is new in them, and what is gone."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def told(self, rows: Sequence[Row]) -> Iterator[str]:
        now = {row["id"]: harmless(f"{row['pbx']} {row['disposition']:8}{who(row)}") for row in rows}
        before, self._known = self._known, now
        yield from (f"curcdr {leg_id} {line}" for leg_id, line in now.items() if before.get(leg_id) != line)
        yield from (f"curcdr {leg_id} gone" for leg_id in before if leg_id not in now)


def who(row: Row) -> str:
    to = row.get("dstchan") or row.get("dstdevice") or "nobody yet"
    return f"{row['src']} -> {row['dst']} on {to}"


def _time(moment: object) -> str:
    """`2026-11-24 12:00:03`, as text or as a datetime; "" for a zero date."""
    text = str(moment)
    return "" if text.startswith("0000") else text[11:19]
