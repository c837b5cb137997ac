"""When finished legs of each PBX arrived in ClickHouse, as somebody sees it who counts five times a second."""

import asyncio
import time
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

EVERY: Final = 0.2
_COUNT: Final = "SELECT pbx, count() FROM mycdr GROUP BY pbx"


class Archive:
    """`moved`: PBX -> moments."""

    def __init__(self, url: str, pbxs: Collection[str]) -> None:
        self._url = urlsplit(url)
        self.moved: dict[str, list[float]] = {name: [] for name in pbxs}
        self._counts: dict[str, int] = {}

    async def watch(self) -> None:
        """Until cancelled; a server that is away is asked again."""
        while True:
            try:
                client = await asyncio.to_thread(self._connect)
                try:
                    await self._count(client)
                finally:
                    client.close()
            except (ClickHouseError, OSError):
                await asyncio.sleep(EVERY)

    async def _count(self, client: Client) -> None:
        while True:
            found = await asyncio.to_thread(client.query, _COUNT)
            now = time.time()
            for name, count in found.result_rows:
                if name in self.moved and self._counts.get(name) != count:
                    self._counts[name] = count
                    self.moved[name].append(now)
            await asyncio.sleep(EVERY)

    def _connect(self) -> Client:
        return clickhouse_connect.get_client(
            host=self._url.hostname or "",
            port=self._url.port or 8123,
            database=self._url.path.strip("/"),
            autogenerate_session_id=False,
        )
