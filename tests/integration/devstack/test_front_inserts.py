"""Rows into the front, by the unmodified clickhouse-connect and by plain HTTP: all of them or an error."""

import asyncio
import datetime as dt
import gzip
from collections.abc import Callable
from typing import Any

import clickhouse_connect
import lz4.frame  # type: ignore[import-untyped,unused-ignore]
import pytest
from backports import zstd
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.integration.devstack.clients import ask, clickhouse, count, json_rows, place

COMPRESS: dict[str, Callable[[bytes], Any]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
    "gzip": gzip.compress,
}
INSERT = "INSERT INTO t FORMAT JSONEachRow"
NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("compress", [None, *COMPRESS])
def test_all_blocks_of_a_large_insert_arrive(t: Client, ch_url: str, compress: str | None) -> None:
    """clickhouse-connect sends one frame a block; a decoder of one frame kept 8,192 rows and answered 200."""
    client, rows = clickhouse(ch_url, compress=compress or False), 100_000
    done = client.insert("t", [[i, f"r{i}", NEW_YEAR] for i in range(rows)], column_names=["a", "b", "c"])
    assert done.written_rows == rows == count(t)
    back = client.query("SELECT a, b, c FROM t ORDER BY a").result_rows
    assert len(back) == rows
    assert back[-1] == (rows - 1, f"r{rows - 1}", NEW_YEAR.replace(tzinfo=None))
    client.close()


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_body_may_have_many_frames(t: Client, ch_url: str, encoding: str) -> None:
    body = b"".join(COMPRESS[encoding](json_rows(1000, i * 1000)) for i in range(7))
    reply = ask(ch_url, body, {"Content-Encoding": encoding}, query=INSERT)
    assert (reply.status, reply.summary["written_rows"], count(t)) == (200, "7000", 7000)


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_short_frame_is_an_error(t: Client, ch_url: str, encoding: str) -> None:
    body = COMPRESS[encoding](json_rows(1000)) + COMPRESS[encoding](json_rows(1000, 1000))[:-9]
    reply = ask(ch_url, body, {"Content-Encoding": encoding}, query=INSERT)
    assert (reply.status, reply.code, count(t)) == (400, "271", 0)


def test_a_bad_last_row_inserts_nothing(t: Client, ch_url: str) -> None:
    reply = ask(ch_url, json_rows(50_000) + b'{"a":"zz"}\n', query=INSERT)
    assert reply.status == 400
    assert reply.code in {"27", "6", "72"}
    assert count(t) == 0


@pytest.mark.parametrize("compression", [None, *COMPRESS])
def test_raw_insert(t: Client, compression: str | None) -> None:
    body = json_rows(5000)
    packed = COMPRESS[compression](body) if compression else body
    t.raw_insert("t", ["a", "b", "c"], packed, fmt="JSONEachRow", compression=compression)
    assert count(t) == 5000


def test_raw_insert_of_a_generator_and_of_text(t: Client) -> None:
    t.raw_insert("t", ["a", "b"], (f"{i},x\n".encode() for i in range(1000)), fmt="CSV")
    t.raw_insert("t", None, "7\tq;--\t2026-01-01 00:00:00\n", fmt="TabSeparated")
    assert count(t) == 1001
    assert t.command("SELECT b FROM t WHERE a=7 AND b LIKE 'q%'") == "q;--"


def test_data_in_the_text_of_the_statement(t: Client, ch_url: str) -> None:
    t.command("INSERT INTO t (a, b) VALUES (1, 'a FORMAT b'), (2, '; DROP')")
    t.command("INSERT INTO t (a) SELECT number FROM numbers(10)")
    named = b"INSERT INTO legbook.`t` (`a`, b) SETTINGS async_insert=0 FORMAT CSV\n1,x\n2,y\n"
    noisy = b'-- note\n/* x */ insert into t format JSONEachRow {"a":10}'
    replies = [
        ask(ch_url, named),
        ask(ch_url, noisy),
        ask(ch_url, b"(1),(2)", query="INSERT INTO t (a) VALUES"),
        ask(ch_url, b'{"a":9}', query=INSERT),
    ]
    assert [reply.status for reply in replies] == [200] * 4
    assert count(t) == 18


def test_equal_blocks_are_dropped_even_without_a_token(ch: Client) -> None:
    """What a deduplication window means, in ClickHouse too: the product's tables have it at 0."""
    order = "ENGINE=MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window"
    for window, rows in ((100, 10), (0, 20)):
        ch.command(f"CREATE OR REPLACE TABLE windowed (a UInt32, b String, c String) {order}={window}")
        for _ in range(2):
            ch.raw_insert("windowed", None, json_rows(10), fmt="JSONEachRow")
        assert ch.command("SELECT count() FROM windowed") == rows


async def test_the_async_client(t: Client, ch_url: str) -> None:
    host, port, database = place(ch_url)
    client = await clickhouse_connect.get_async_client(
        host=host, port=port, database=database, autogenerate_session_id=False, compress="zstd"
    )
    await client.insert("t", [[i, "x", NEW_YEAR] for i in range(20_000)], column_names=["a", "b", "c"])
    await client.raw_insert("t", None, json_rows(1000), fmt="JSONEachRow")
    sql = "SELECT count(), {i:UInt32} FROM t"
    got = await asyncio.gather(*(client.query(sql, parameters={"i": i}) for i in range(20)))
    assert [one.result_rows[0] for one in got] == [(21_000, i) for i in range(20)]
    with pytest.raises(DatabaseError):
        await client.query("SELECT * FROM nope")
    await client.close()
