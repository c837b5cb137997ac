"""`curcdr` as somebody sees it who looks every 50 ms: what came back, what went back in state, when it moved.

A look is a plain SELECT in a thread of its own, so that nothing that the test does keeps it from looking.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

import pymysql

EVERY: Final = 0.05
LATENCY: Final = 1.0  # seconds that a row may outlive its leg
_RANK: Final = {"RING": 0, "DIAL": 1, "RINGING": 2, "LINK": 3}
_LOOK: Final = "SELECT id, pbx, srcuid, dstuid, disposition FROM curcdr"


class Row(NamedTuple):
    """`uid`: of the called channel, of the caller while nobody is rung. `caller`: its channel, or ""."""

    leg_id: int
    pbx: str
    uid: str
    state: str
    called: bool
    caller: str


class Return(NamedTuple):
    """A row that was gone is there again. `emptied`: the server was away meanwhile, and its table lost."""

    at: float
    emptied: bool


@dataclass(slots=True)
class Seen:
    """What was seen of one row. `last`: the newest look that had it; `fell`: how often it went back in state."""

    row: Row
    first: float
    last: float
    fell: list[str] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)


class History:
    """Every row that was ever seen."""

    def __init__(self) -> None:
        self.seen: dict[int, Seen] = {}
        self.rows: dict[int, Row] = {}  # of the newest look
        self.moved: dict[str, list[float]] = defaultdict(list)  # PBX -> looks that differ from the one before
        self._emptied_at = 0.0

    def look(self, found: Iterable[Row], at: float) -> None:
        rows = {row.leg_id: row for row in found}
        for pbx in {row.pbx for row in set(rows.values()) ^ set(self.rows.values())}:
            self.moved[pbx].append(at)
        for leg_id, row in rows.items():
            known = self.seen.get(leg_id)
            if known is None:
                self.seen[leg_id] = Seen(row, at, at)
            else:
                self._again(known, row, at)
        self.rows = rows

    def _again(self, known: Seen, row: Row, at: float) -> None:
        if row.leg_id not in self.rows:
            known.returns.append(Return(at, emptied=known.last <= self._emptied_at))
        if _RANK[row.state] < _RANK[known.row.state]:
            known.fell.append(f"{known.row.state} -> {row.state}")
        known.row, known.last = row, at

    def away(self, at: float) -> None:
        """The server did not answer: a MEMORY table may be lost."""
        self._emptied_at = at


def flickers(history: History, ends: Mapping[tuple[str, str], float]) -> list[str]:
    """`ends`: (PBX, channel) -> when that leg really ended.

    A row that went back in state, or that was away and is there again; after a server that lost its table only if
    the leg was over by then.
    """
    found = []
    for seen in history.seen.values():
        end = ends.get((seen.row.pbx, seen.row.uid))
        found += [f"{seen.row.uid}: {fall}" for fall in seen.fell]
        found += [
            f"{seen.row.uid}: there again as {seen.row.state}, {_when(back.at, end)}"
            for back in seen.returns
            if not back.emptied or (end is not None and back.at > end + LATENCY)
        ]
    return found


def _when(at: float, end: float | None) -> str:
    return "its leg lives" if end is None else f"{at - end:+.2f} s from its end"


class Screen:
    """A context manager; `history` grows while it is open."""

    def __init__(self, mysql_url: str) -> None:
        self._url = urlsplit(mysql_url)
        self.history = History()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="screen")
        self._failed: BaseException | None = None

    def rows(self) -> Collection[Row]:
        """Of the newest look."""
        return self.history.rows.values()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._failed is not None and error is None:
            raise self._failed

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(self._connect()) as connection:
                    self._look_on(connection)
            except (pymysql.MySQLError, OSError):
                self.history.away(time.time())
                self._stop.wait(EVERY)
            except BaseException as error:  # noqa: BLE001  # told when the block ends
                self._failed = error
                return

    def _look_on(self, connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
        while not self._stop.is_set():
            begun = time.monotonic()
            with connection.cursor() as cursor:
                cursor.execute(_LOOK)
                found = [
                    Row(leg_id, pbx, called or caller, state, called=bool(called), caller=caller)
                    for leg_id, pbx, caller, called, state in cursor.fetchall()
                ]
            self.history.look(found, time.time())
            self._stop.wait(max(0.0, EVERY - (time.monotonic() - begun)))

    def _connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(
            host=self._url.hostname or "",
            port=self._url.port or 3306,
            user=self._url.username or "",
            password=self._url.password or "",
            database=self._url.path.strip("/"),
            autocommit=True,
            connect_timeout=2,
            read_timeout=10,
        )
