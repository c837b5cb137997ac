"""`curcdr` as a cache of the live legs of one partition: written, compared with them, and written again.

Each session of the writer: 1 the lock; 2 a Kafka transaction of the partition's producer commits after that (after
a restart of the server anybody gets the lock, a zombie too); 3 re-sync; then flush, and compare every second in both
directions. A dead MySQL delays screens; it never delays the fold, the topics or the archive.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import tzinfo
from typing import Final

import pymysql
import structlog

from curcdr_projector import metrics
from curcdr_projector.columns import row
from curcdr_projector.session import Session
from curcdr_projector.settings import Settings
from legbook.contracts.legs import Leg
from legbook.contracts.topics import partition_of
from legbook.runtime.settings import MysqlSettings

_log = structlog.get_logger("curcdr_projector")
RETRY: Final = 0.5
CHUNK: Final = 200
TABLE_FULL: Final = 1114  # max_heap_table_size of the session that made the table


class Table:
    """The writer of one partition. `live` gives the legs as they are now, `prove` waits for a transaction."""

    def __init__(
        self,
        settings: Settings,
        mysql: MysqlSettings,
        partition: tuple[int, int],
        zones: Mapping[str, tzinfo],
        live: Callable[[], Iterable[Leg]],
        prove: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings, self._mysql, self._zones = settings, mysql, zones
        self._partition, self._partitions = partition
        self._live, self._prove = live, prove
        self._changed: dict[int, Leg] = {}
        self._news = asyncio.Event()
        self._session: Session | None = None
        self._resynced = False  # or about to be: before that nothing needs to be remembered
        self._new_owner = True
        self._told = ""
        self.trouble: str | None = "not started"

    def put(self, leg: Leg) -> None:
        """The newest state of a leg wins."""
        if self._resynced:
            self._changed[leg.leg_id] = leg
            self._news.set()

    async def run(self) -> None:
        """Until cancelled; CannotStartError if the table is not as it must be."""
        up = metrics.MYSQL_UP.labels(str(self._partition))
        try:
            while True:
                try:
                    await self._open()
                    up.set(1)
                    self.trouble, self._told = None, ""
                    await self._serve()
                except (pymysql.MySQLError, OSError) as error:
                    self._lost(error)
                    up.set(0)
                await asyncio.sleep(RETRY)
        finally:
            up.set(0)
            self._throw_away()

    def _lost(self, error: Exception) -> None:
        self._throw_away()
        self.trouble = f"MySQL: {error.args[-1] if error.args else error!r}"
        if self._told != self.trouble:
            self._told = self.trouble
            _log.warning("curcdr not writable", partition=self._partition, why=self.trouble)

    def _throw_away(self) -> None:
        session, self._session = self._session, None
        self._resynced, self._changed = False, {}
        if session is not None:
            session.abort()

    async def _open(self) -> None:
        self._session = session = await asyncio.to_thread(Session, self._mysql, self._partition)
        kill, self._new_owner = self._new_owner, False
        await asyncio.to_thread(session.check_table)
        while not await asyncio.to_thread(session.lock, kill_holder=kill):
            _log.warning("another session holds the lock of curcdr", partition=self._partition)
            kill = False
        await self._prove()
        self._resynced = True
        await self._compare(session, everything=True)

    async def _serve(self) -> None:
        """What comes after a write gathers for an interval; the first after silence goes at once."""
        session, compare_at = self._session, time.monotonic() + self._settings.check_interval
        while session is not None:
            await self._news_until(compare_at)
            await self._flush(session)
            if time.monotonic() >= compare_at:
                compare_at = time.monotonic() + self._settings.check_interval
                await self._compare(session, everything=False)
            await asyncio.sleep(self._settings.flush_interval)

    async def _news_until(self, moment: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(moment - time.monotonic()):
                await self._news.wait()
        self._news.clear()

    async def _flush(self, session: Session) -> None:
        changed, self._changed = self._changed, {}
        if not changed:
            return
        gone = [leg.leg_id for leg in changed.values() if leg.state == "ended"]
        rows = [self._row(leg) for leg in changed.values() if leg.state != "ended"]
        await asyncio.to_thread(_write, session, rows, gone)
        metrics.ROWS.labels("written").inc(len(rows))
        metrics.ROWS.labels("deleted").inc(len(gone))

    async def _compare(self, session: Session, *, everything: bool) -> None:
        """Missing or different rows are written, extra ones deleted. What changes meanwhile waits in `_changed`."""
        pending, self._changed = self._changed, {}
        legs = {leg.leg_id: leg for leg in self._live()}
        names = [pbx for pbx in self._zones if self._is_ours(pbx)]
        there = await asyncio.to_thread(session.present, None if everything else names)
        ours = {leg_id: ver for leg_id, ver, pbx in there if self._is_ours(pbx)}
        missing = [leg for leg_id, leg in legs.items() if leg_id not in ours]
        different = [leg for leg_id, leg in legs.items() if leg_id in ours and ours[leg_id] != leg.ver]
        extra = [leg_id for leg_id in ours if leg_id not in legs]
        await asyncio.to_thread(_write, session, [self._row(leg) for leg in missing + different], extra)
        if not everything:
            wrong = {
                "missing": [leg.leg_id for leg in missing],
                "different": [leg.leg_id for leg in different],
            }
            for how, ids in {**wrong, "extra": extra}.items():
                metrics.REPAIRED.labels(how).inc(len([leg_id for leg_id in ids if leg_id not in pending]))

    def _is_ours(self, pbx: str) -> bool:
        return partition_of(pbx, self._partitions) == self._partition

    def _row(self, leg: Leg) -> tuple[str | int, ...]:
        return row(leg, self._zones[leg.pbx])


def _write(session: Session, rows: list[tuple[str | int, ...]], gone: list[int]) -> None:
    """A row that the server refuses costs itself, not the others."""
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        try:
            session.put(chunk)
        except pymysql.MySQLError as error:
            if not _refused(error):
                raise
            _one_by_one(session, chunk)
    for start in range(0, len(gone), CHUNK):
        session.delete(gone[start : start + CHUNK])


def _one_by_one(session: Session, rows: list[tuple[str | int, ...]]) -> None:
    for each in rows:
        try:
            session.put([each])
        except pymysql.MySQLError as error:
            if not _refused(error):
                raise
            metrics.REFUSED.inc()
            _log.warning("row refused", id=each[0], why=str(error.args[-1]))


def _refused(error: pymysql.MySQLError) -> bool:
    return isinstance(error, pymysql.DataError | pymysql.IntegrityError) or error.args[0] == TABLE_FULL
