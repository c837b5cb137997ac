"""Questions to the front: shapes, parameters, streams, and that one request leaves nothing for the next."""

import datetime as dt
import gzip
import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from tests.integration.devstack.clients import ask, clickhouse, json_rows, place

MAX_ROWS = "SELECT value FROM system.settings WHERE name='max_result_rows'"


def test_shapes(t: Client) -> None:
    t.raw_insert("t", None, json_rows(1000), fmt="JSONEachRow")
    assert t.query("SELECT a FROM t WHERE 0").result_rows == []
    assert list(t.query("SELECT a, b FROM t LIMIT 0").column_names) == ["a", "b"]
    assert "t" in str(t.command("SHOW TABLES")).split()
    assert t.command("SELECT a FROM t WHERE 0") == ""
    assert t.raw_query("SELECT 1 AS x", fmt="JSONEachRow") == b'{"x":1}\n'
    with t.query_row_block_stream("SELECT number FROM numbers(300000)") as blocks:
        assert sum(len(block) for block in blocks) == 300_000


@pytest.mark.parametrize("as_form", [False, True])
def test_parameters(ch_url: str, as_form: bool) -> None:  # noqa: FBT001  # a parameter of the test
    text = "tab\t nl\n quote' back\\slash \u00fc {x}"
    client = clickhouse(ch_url, form_encode_query_params=as_form)
    given = {"s": text, "n": 5, "l": ["a'", "b"], "d": dt.datetime(2026, 1, 2)}  # noqa: DTZ001
    sql = "SELECT {s:String}, {n:UInt8}, {l:Array(String)}, {d:DateTime}"
    assert client.query(sql, parameters=given).result_rows[0][:3] == (text, 5, ["a'", "b"])
    assert client.query("SELECT %(s)s", parameters={"s": text}).result_rows == [(text,)]
    client.close()


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4", "deflate"])
def test_an_answer_is_compressed_when_the_client_asks_for_it(ch_url: str, encoding: str) -> None:
    headers, body = {"Accept-Encoding": encoding}, b"SELECT number FROM numbers(1000)"
    packed = ask(ch_url, body, headers, enable_http_compression="1")
    assert packed.headers["Content-Encoding"] == encoding
    plain = ask(ch_url, body, headers)
    assert "Content-Encoding" not in plain.headers
    assert plain.body.count(b"\n") == 1000
    if encoding == "gzip":
        assert gzip.decompress(packed.body) == plain.body


def test_a_compressed_statement_is_decompressed_once(ch_url: str) -> None:
    assert ask(ch_url, gzip.compress(b"SELECT 42"), {"Content-Encoding": "gzip"}).body == b"42\n"


def test_settings_do_not_leak(ch: Client) -> None:
    before = ch.command(MAX_ROWS)
    settings = {"max_result_rows": 1, "result_overflow_mode": "throw"}
    assert str(ch.command(MAX_ROWS, settings=settings)) == "1"
    with pytest.raises(DatabaseError):  # nor after an error
        ch.command("SELECT throwIf(1)", settings=settings)
    assert {ch.command(MAX_ROWS) for _ in range(20)} == {before}


def test_set_use_and_temporary_tables_do_not_leak(ch: Client, ch_url: str) -> None:
    ch.command("CREATE DATABASE IF NOT EXISTS other ENGINE=Atomic")
    for _ in range(3):
        ch.command("USE other")
        ch.command("SET max_block_size=55")
        ch.command("CREATE TEMPORARY TABLE leaky (x Int8)")  # the second time it is new again
        for _ in range(10):
            assert ch.command("SELECT currentDatabase()") == "legbook"
            assert ch.command("SELECT getSetting('max_block_size')") != 55
    assert ask(ch_url, b"SELECT currentDatabase()", database="other").body == b"other\n"


def test_concurrent_queries_do_not_mix(t: Client, ch_url: str) -> None:
    t.raw_insert("t", None, json_rows(20_000), fmt="JSONEachRow")
    client = clickhouse(ch_url)

    def right(number: int) -> bool:
        if number % 3 == 0:  # an open stream beside it: a shared handle would answer empty
            small = {"max_block_size": 500}
            with client.query_row_block_stream("SELECT a FROM t ORDER BY a", settings=small) as blocks:
                return sum(len(block) for block in blocks) == 20_000
        answer = client.query("SELECT count(), {i:UInt32} FROM t", parameters={"i": number})
        return answer.result_rows == [(20_000, number)]

    with ThreadPoolExecutor(16) as workers:
        assert all(workers.map(right, range(150)))
    client.close()


def test_a_stream_is_not_buffered_and_ends_when_the_client_goes(ch: Client, ch_url: str) -> None:
    host, port, _ = place(ch_url)
    connection, begin = http.client.HTTPConnection(host, port), time.monotonic()
    connection.request("POST", "/", b"SELECT number FROM numbers(2000000000) FORMAT RowBinary")
    answer = connection.getresponse()
    assert len(answer.read(100_000)) == 100_000
    assert time.monotonic() - begin < 2
    answer.close()
    connection.close()
    running = "SELECT count() FROM system.processes WHERE query LIKE '%2000000000%' AND query NOT LIKE '%processes%'"
    while ch.command(running):
        assert time.monotonic() - begin < 8
        time.sleep(0.1)


def test_an_error_after_the_first_byte_reaches_the_client(ch: Client) -> None:
    sql = "SELECT throwIf(number=2900000) FROM numbers(3000000)"
    with (
        pytest.raises(StreamFailureError, match="throwIf"),
        ch.query_row_block_stream(sql, settings={"max_threads": 1}) as blocks,
    ):
        for _ in blocks:
            pass


def test_a_refreshable_view_refreshes(ch: Client) -> None:
    ch.command("CREATE TABLE agg (n UInt64, at DateTime64(3)) ENGINE=MergeTree ORDER BY at")
    ch.command(
        "CREATE MATERIALIZED VIEW rv REFRESH EVERY 1 SECOND APPEND TO agg"
        " AS SELECT count() AS n, now64(3) AS at FROM t"
    )
    begin = time.monotonic()
    while int(str(ch.command("SELECT count() FROM agg"))) < 2:
        assert time.monotonic() - begin < 8
        time.sleep(0.1)
    ch.command("DROP VIEW rv")
