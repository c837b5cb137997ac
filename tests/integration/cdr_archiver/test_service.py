"""The process: Kafka to ClickHouse, through kills, refusals and outages."""

import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from legbook.contracts.codec import encode
from legbook.contracts.topics import DLQ_HEADERS
from legbook.devstack import Stack
from legbook.migrations.databases import Clickhouse
from legbook.migrations.upgrade import upgrade
from tests.integration.cdr_archiver.conftest import settings_of
from tests.integration.cdr_archiver.service import (
    Service,
    committed,
    letters,
    publish,
    start_at_the_end,
    until,
)
from tests.integration.devstack.clients import clickhouse
from tests.unit.cdr_archiver.samples import leg

NEWER = b'{"v":2,"pbx":"hq","new":true}'


@pytest.fixture
def env(stack: Stack, topics: None, archive: Client, url: str) -> Mapping[str, str]:
    return {**stack.env, "CLICKHOUSE_URL": url}


@pytest.fixture
def pbx() -> str:
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def group(env: Mapping[str, str], pbx: str) -> str:
    start_at_the_end(env, pbx)
    return pbx


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def count(archive: Client, pbx: str, table: str = "cdr") -> int:
    found = archive.query(f"SELECT count() FROM {table} WHERE pbx = {{pbx:String}}", parameters={"pbx": pbx})
    return int(found.result_rows[0][0])


def until_there(archive: Client, pbx: str, legs: int) -> None:
    until(lambda: count(archive, pbx) == legs)


def test_finished_legs_are_archived_and_committed(
    env: Mapping[str, str], archive: Client, pbx: str, group: str, log: Path
) -> None:
    publish(env, leg(666, pbx=pbx), pbx=pbx, abort=True)
    publish(env, leg(1, pbx=pbx), None, leg(2, pbx=pbx), pbx=pbx)
    before = committed(env, group, pbx) or 0
    with Service(env, log, group) as service:
        until(lambda: count(archive, pbx) == 2)
        until(lambda: (committed(env, group, pbx) or 0) > before)
        assert service.get("/readyz") == (200, "clickhouse: ok\npartitions: ok\n")
        assert 'cdr_archiver_legs_total{result="archived"} 2.0' in service.get("/metrics")[1]
        assert service.stop() == 0
    with Service(env, log, group):
        publish(env, leg(3, pbx=pbx), pbx=pbx)
        until(lambda: count(archive, pbx) == 3)
    assert count(archive, pbx, "mycdr") == 3  # nothing was read again


def test_what_cannot_be_archived_is_a_dead_letter_and_the_rest_goes_in(
    env: Mapping[str, str], archive: Client, pbx: str, group: str, log: Path
) -> None:
    refused = encode(leg(2, pbx=pbx)).replace(b"2026-11-23", b"2345-11-23")
    huge = leg(3, pbx=pbx, hangupcause=2**40)
    with Service(env, log, group):
        publish(env, leg(1, pbx=pbx), NEWER, b"{", refused, huge, leg(4, pbx=pbx), pbx=pbx)
        until(lambda: count(archive, pbx) == 2)
        until(lambda: len(letters(env, pbx)) == 4)
    found = letters(env, pbx)
    assert [value for value, _ in found] == [NEWER, b"{", refused, encode(huge)]
    reasons = [headers["reason"] for _, headers in found]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "newer_version",
        "bad_message",
        "refused",
        "refused",
    ]
    assert "calldate: 2345-11-23" in reasons[2]
    assert "hangupcause" in reasons[3]
    assert all(headers.keys() == DLQ_HEADERS.keys() for _, headers in found)


def test_kill_9_loses_nothing(
    env: Mapping[str, str], archive: Client, pbx: str, group: str, log: Path
) -> None:
    def more_than(legs: int) -> bool:
        return count(archive, pbx, "mycdr") > legs

    for first in range(0, 4000, 1000):
        publish(env, *(leg(first + number, pbx=pbx) for number in range(1, 1001)), pbx=pbx)
        with Service(env, log, group, CDR_ARCHIVER_BATCH_LEGS="150", CDR_ARCHIVER_INSTANCE="one") as service:
            until(partial(more_than, first))
            service.process.kill()
    with Service(env, log, group, CDR_ARCHIVER_INSTANCE="one"):
        until_there(archive, pbx, 4000)


def test_two_workers_share_the_work_and_one_takes_over(
    env: Mapping[str, str], archive: Client, group: str, tmp_path: Path
) -> None:
    pbxs = [f"{group}-{number}" for number in range(8)]
    with Service(env, tmp_path / "one", group) as one, Service(env, tmp_path / "two", group):
        until(lambda: one.said("archiving"))
        for pbx in pbxs:
            publish(env, *(leg(number, pbx=pbx) for number in range(1, 51)), pbx=pbx)
        one.kill()
        for pbx in pbxs:
            publish(env, *(leg(number, pbx=pbx) for number in range(51, 61)), pbx=pbx)
        for pbx in pbxs:
            until_there(archive, pbx, 60)


def test_clickhouse_may_be_away(
    stack: Stack, env: Mapping[str, str], pbx: str, group: str, log: Path, tmp_path: Path
) -> None:
    with Stack(tmp_path / "clickhouse", only=["clickhouse"]) as other:
        upgrade(Clickhouse(settings_of(other.env["CLICKHOUSE_URL"])), lambda _line: None)
        with Service({**env, **other.env}, log, group, CDR_ARCHIVER_RETRY_MOST="0.5") as service:
            publish(env, *(leg(number, pbx=pbx) for number in range(1, 11)), pbx=pbx)
            until(lambda: stored(other, pbx) == 10)
            other.kill("clickhouse")
            publish(env, *(leg(number, pbx=pbx) for number in range(11, 31)), pbx=pbx)
            until(lambda: service.get("/readyz")[0] == 503)
            assert service.get("/readyz")[1].startswith("clickhouse: ")
            assert service.get("/livez")[0] == 200
            other.start_server("clickhouse")
            until(lambda: stored(other, pbx) == 30)
            assert service.process.poll() is None
            assert service.get("/readyz")[0] == 200
    assert letters(env, pbx) == []


def stored(stack: Stack, pbx: str) -> int:
    client = clickhouse(stack.env["CLICKHOUSE_URL"])
    try:
        return count(client, pbx)
    finally:
        client.close()


def test_too_many_bad_records_stop_it_and_the_next_one_goes_on_behind_them(
    env: Mapping[str, str], pbx: str, group: str, log: Path
) -> None:
    before = committed(env, group, pbx) or 0
    publish(env, *(NEWER for _ in range(150)), pbx=pbx)
    with Service(env, log, group) as service:
        assert service.exit_code() == 70
    failed = service.said("failed")
    assert failed is not None
    assert "100 in a row" in failed["reason"]
    assert committed(env, group, pbx) == before + 100
    assert len(letters(env, pbx)) == 100


def test_without_the_table_it_does_not_start_and_says_what_to_run(
    env: Mapping[str, str], archive: Client, group: str, log: Path
) -> None:
    archive.command("DROP TABLE mycdr")
    with Service(env, log, group) as service:
        assert service.exit_code() == 78
    refused = service.said("cannot start")
    assert refused is not None
    assert "legbook migrate --only clickhouse" in refused["reason"]
