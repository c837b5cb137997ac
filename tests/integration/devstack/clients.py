"""Clients of the stack's servers as the tests use them."""

import asyncio
import http.client
import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import clickhouse_connect
import pymysql
from aiokafka import AIOKafkaConsumer
from clickhouse_connect.driver.client import Client


def mysql(url: str) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    parts = urllib.parse.urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 0,
        user=parts.username,
        password=parts.password or "",
        database=parts.path[1:],
        autocommit=True,
    )


def place(url: str) -> tuple[str, int, str]:
    """Host, port and database of CLICKHOUSE_URL."""
    parts = urllib.parse.urlsplit(url)
    return parts.hostname or "", parts.port or 0, parts.path[1:]


def clickhouse(url: str, **more: Any) -> Client:
    host, port, database = place(url)
    given = {"database": database, "autogenerate_session_id": False, **more}
    return clickhouse_connect.get_client(host=host, port=port, **given)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        return self.headers.get("X-ClickHouse-Exception-Code")

    @property
    def summary(self) -> dict[str, str]:
        return cast("dict[str, str]", json.loads(self.headers["X-ClickHouse-Summary"]))


def ask(
    url: str, body: bytes, headers: Mapping[str, str] | None = None, *, method: str = "POST", **query: str
) -> Reply:
    """One HTTP request without any library of ClickHouse's."""
    host, port, _ = place(url)
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, f"/?{urllib.parse.urlencode(query)}", body, dict(headers or {}))
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def json_rows(count: int, first: int = 0) -> bytes:
    """Lines for the table t."""
    line = b'{"a":%d,"b":"xxxxxxxxxxxxxxxxxxxx","c":"2026-01-01 00:00:00.123"}\n'
    return b"".join(line % number for number in range(first, first + count))


async def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """The first values of a topic."""
    values: list[bytes] = []
    options = {"bootstrap_servers": bootstrap, "group_id": f"tests-{topic}", "auto_offset_reset": "earliest"}
    async with asyncio.timeout(30), AIOKafkaConsumer(topic, **options) as consumer:
        while len(values) < count:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                values += [record.value or b"" for record in records]
    return values


def count(client: Client) -> int:
    return cast("int", client.command("SELECT count() FROM t"))
