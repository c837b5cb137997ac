"""What the front refuses: the engine's errors with ClickHouse's statuses, writes by GET, other interfaces."""

import subprocess
import sys
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.integration.devstack.clients import ask, clickhouse, count, json_rows

SLOW = "SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_execution_time=1"


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELEC 1", 400, "62"),
        ("SELECT * FROM nope", 404, "60"),
        ("SELECT nope", 404, "47"),
        ("SELECT 1 SETTINGS nope=1", 400, "115"),
        ("SELECT throwIf(1)", 500, "395"),
        ("INSERT INTO nope FORMAT CSV\n1\n", 404, "60"),
        (SLOW, 408, "159"),
    ],
)
def test_errors_have_status_and_code(ch_url: str, sql: str, status: int, code: str) -> None:
    reply = ask(ch_url, sql.encode())
    assert (reply.status, reply.code) == (status, code)
    assert b"DB::Exception" in reply.body


@pytest.mark.parametrize(
    ("headers", "query", "code"),
    [
        ({"Content-Encoding": "br"}, {}, "48"),
        ({}, {"compress": "1"}, "48"),
        ({}, {"bad name": "1"}, "115"),
        ({}, {"database": "nope"}, "81"),
    ],
)
def test_requests_that_it_does_not_understand(
    ch_url: str, headers: dict[str, str], query: dict[str, str], code: str
) -> None:
    assert ask(ch_url, b"SELECT 1", headers, **query).code == code


def test_an_unknown_database_is_an_error_of_the_client(ch_url: str) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_DATABASE"):
        clickhouse(ch_url, database="nope").command("SELECT 1")


@pytest.mark.parametrize(
    "sql", ["SELECT count() FROM t", "SHOW TABLES", "WITH 1 AS x SELECT x", "(SELECT 1)"]
)
def test_get_may_read(ch: Client, ch_url: str, sql: str) -> None:
    assert ask(ch_url, b"", method="GET", query=sql).status == 200


@pytest.mark.parametrize(
    "sql",
    [
        "TRUNCATE TABLE t",
        "INSERT INTO t (a) VALUES (1)",
        "SET max_threads=1",
        "SELECT 1; DROP TABLE t",
        "SELECT 1 SETTINGS readonly=0",
    ],
)
def test_get_may_do_nothing_else(t: Client, ch_url: str, sql: str) -> None:
    t.raw_insert("t", None, json_rows(10), fmt="JSONEachRow")
    assert ask(ch_url, b"", method="GET", query=sql).status >= 400
    assert count(t) == 10


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    argv = ["-m", "legbook.devstack.front", "--path", str(tmp_path), "--port", "1", "--host", "0.0.0.0"]  # noqa: S104
    done = subprocess.run([sys.executable, *argv], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "0.0.0.0 is not a loopback address" in done.stderr
