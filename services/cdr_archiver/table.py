"""mycdr in ClickHouse, the only place that speaks to it.

Trouble is waited out, for as long as it takes. What is refused is searched for by halves, so that the rest goes in.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import clickhouse_connect
import stamina
from clickhouse_connect.driver.asyncclient import AsyncClient

from cdr_archiver import failures, metrics
from cdr_archiver.columns import NAMES
from cdr_archiver.failures import Failure
from legbook.runtime.settings import ClickhouseSettings
from legbook.runtime.stop import CannotStartError, FatalError

TABLE: Final = "mycdr"
COLUMN_TYPES: Final = (
    "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
)
INSERT_SETTINGS: Final = {
    "async_insert": 0,  # what is committed must be stored
    "max_partitions_per_insert_block": 0,  # a rebuild, or PBXs with wrong clocks: a partition is a month
}
_T = TypeVar("_T")


class Part(NamedTuple):
    """Rows `begin` up to `end` of a batch went in; or the one row was refused, and why."""

    begin: int
    end: int
    refused: str | None


class Table:
    """`trouble`: why ClickHouse does not take our rows now, None when it does."""

    def __init__(self, settings: ClickhouseSettings, *, retry_most: float = 15.0) -> None:
        self._url = settings.parsed()
        self._retry_most = retry_most
        self._client: AsyncClient | None = None
        self._types: list[str] = []
        self.trouble: str | None = "not reached yet"

    async def open(self) -> None:
        """Waits for ClickHouse. CannotStartError: the login is wrong, or the table is not the one we write."""
        logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)  # what it logs, it raises too
        try:
            found = await self._waiting_out(self._column_types, {Failure.trouble})
        except failures.ERRORS as error:
            if failures.of(error) is Failure.schema:
                raise self._wrong(f"there is no database {self._url.database}") from None
            raise CannotStartError(f"CLICKHOUSE_URL: {failures.reason(error)}") from None
        if not found:
            raise self._wrong(f"there is no table {TABLE} in {self._url.database}")
        if missing := [name for name in NAMES if name not in found]:
            raise self._wrong(f"{self._url.database}.{TABLE} has no column {', '.join(missing)}")
        self._types = [found[name] for name in NAMES]

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def insert(self, rows: Sequence[Sequence[Any]]) -> AsyncIterator[Part]:
        """Tells what became of which rows, as it happens, in order. FatalError: the table is not ours any more."""
        waiting = [(0, len(rows))] if rows else []
        while waiting:
            begin, end = waiting.pop()
            refused = await self._put(rows[begin:end])
            if refused is None or end - begin == 1:
                yield Part(begin, end, refused)
            else:
                middle = (begin + end) // 2
                waiting += [(middle, end), (begin, middle)]

    async def _put(self, rows: Sequence[Sequence[Any]]) -> str | None:
        """None when they are in, else why they are refused."""

        async def insert() -> None:
            client, began = await self._connected(), time.monotonic()
            await client.insert(
                TABLE, rows, column_names=NAMES, column_type_names=self._types, settings=INSERT_SETTINGS
            )
            metrics.INSERT_SECONDS.observe(time.monotonic() - began)

        try:
            await self._waiting_out(insert, {Failure.trouble, Failure.login})
        except failures.ERRORS as error:
            if failures.of(error) is Failure.refused:
                return failures.reason(error)
            raise FatalError(f"{TABLE} is not what it was: {failures.reason(error)}") from error
        return None

    async def _waiting_out(self, act: Callable[[], Awaitable[_T]], passing: Collection[Failure]) -> _T:
        """Does it until it fails with something else than what passes."""

        def passes(error: Exception) -> bool:
            if failures.of(error) not in passing:
                return False
            self.trouble = failures.reason(error)
            metrics.RETRIES.inc()
            return True

        async for attempt in stamina.retry_context(
            on=passes,
            attempts=None,
            timeout=None,
            wait_initial=0.2,
            wait_max=self._retry_most,
            wait_jitter=0.5,
        ):
            with attempt:
                done = await act()
                self.trouble = None
                return done
        raise AssertionError("stamina gave up, which it was told never to")

    async def _connected(self) -> AsyncClient:
        if self._client is None:
            url = self._url
            self._client = await clickhouse_connect.get_async_client(
                host=url.host,
                port=url.port,
                username=url.user or "default",
                password=url.password,
                database=url.database,
                connect_timeout=10,
                send_receive_timeout=120,
                client_name="cdr_archiver",
            )
        return self._client

    async def _column_types(self) -> dict[str, str]:
        client = await self._connected()
        found = await client.query(COLUMN_TYPES, parameters={"table": TABLE})
        return {str(name): str(kind) for name, kind in found.result_rows}

    @staticmethod
    def _wrong(what: str) -> CannotStartError:
        return CannotStartError(f"CLICKHOUSE_URL: {what}; run: legbook migrate --only clickhouse")
