"""What MySQL and ClickHouse say of themselves, and what is made of it."""

from collections.abc import Sequence
from typing import Any

import pymysql
import pytest

from cdr_archiver.columns import NAMES
from legbook.cli.doctor import clickhouse, mysql, revision
from legbook.cli.doctor.finding import Finding, Level
from legbook.migrations.databases import Clickhouse, Mysql
from legbook.runtime.settings import ClickhouseSettings, MysqlSettings

MIB = 1 << 20
HASH = "*49A6FADFED0A703669E504FABB22242B8FBBA7ED"


def _refusing(*refused: str) -> mysql.Ask:
    def ask(sql: str) -> Sequence[mysql.Row]:
        for number, right in enumerate(refused):
            if sql.startswith(f"EXPLAIN {right}"):
                raise pymysql.err.OperationalError((1142, 1143)[number % 2], f"{right} command denied")
        return []

    return ask


@pytest.mark.parametrize(
    ("refused", "seen"),
    [
        ((), "this user may read and write curcdr"),
        (("DELETE",), "this user may not DELETE in curcdr"),
        (("INSERT", "UPDATE"), "this user may not INSERT, UPDATE in curcdr"),
    ],
)
def test_missing_rights_are_what_the_server_refuses(refused: tuple[str, ...], seen: str) -> None:
    finding = mysql.missing_rights(_refusing(*refused))

    assert finding.seen == seen
    assert finding.level is (Level.fail if refused else Level.ok)


def test_another_error_is_no_missing_right() -> None:
    def ask(_sql: str) -> Sequence[mysql.Row]:
        raise pymysql.err.OperationalError(2013, "Lost connection")

    with pytest.raises(pymysql.MySQLError):
        mysql.missing_rights(ask)


@pytest.mark.parametrize(
    ("grants", "excess"),
    [
        (
            [
                "GRANT USAGE ON *.* TO `l`@`%`",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON `legbook`.* TO `l`@`%`",
            ],
            None,
        ),
        (["GRANT SELECT (`id`, `src`), UPDATE ON `legbook`.`curcdr` TO `l`@`%`"], None),
        (["GRANT ALL PRIVILEGES ON `legbook`.* TO `l`@`%`"], None),
        (["GRANT `reader`@`%` TO `l`@`%`"], None),
        (
            [f"GRANT ALL PRIVILEGES ON *.* TO `l`@`%` IDENTIFIED BY PASSWORD '{HASH}'"],
            "ALL PRIVILEGES everywhere",
        ),
        (["GRANT SELECT, FILE ON *.* TO `l`@`%`"], "FILE everywhere, SELECT everywhere"),
        (["GRANT ALL PRIVILEGES ON `legbook`.* TO `l`@`%` WITH GRANT OPTION"], "GRANT OPTION"),
        (
            ["GRANT A, B, C, D, E ON `legbook`.* TO `root`@`%`"],
            "A, B, C, D, …",
        ),
    ],
)
def test_excess_rights_by_name_and_nothing_else(grants: list[str], excess: str | None) -> None:
    findings = list(mysql.excess_rights(grants))

    assert [each.seen for each in findings] == (
        [f"this user may do more than it needs: {excess}"] if excess else []
    )
    assert {each.level for each in findings} <= {Level.warn}
    assert HASH not in repr(findings)


def test_server_settings() -> None:
    assert list(mysql.settings(256 * MIB, "STRICT_TRANS_TABLES")) == []
    (small,) = mysql.settings(16 * MIB, "")
    (zero,) = mysql.settings(256 * MIB, "NO_ZERO_IN_DATE,NO_ZERO_DATE")

    assert (small.level, zero.level) == (Level.warn, Level.ok)
    assert small.seen.startswith("max_heap_table_size is 16 MiB")


@pytest.mark.parametrize(
    ("engine", "most", "level", "seen"),
    [
        ("MEMORY", 196_644_940, Level.ok, "73,705 live legs"),
        ("MEMORY", 12_000_000, Level.warn, "4,497 live legs"),
        ("InnoDB", 0, Level.warn, "is InnoDB, not MEMORY"),
    ],
)
def test_how_much_curcdr_holds(engine: str, most: int, level: Level, seen: str) -> None:
    finding = mysql.table({"engine": engine, "most": most, "width": 2668})

    assert finding.level is level
    assert seen in finding.seen


def _session(state: str | None, seconds: int) -> dict[str, Any]:
    return {"Id": 7, "User": "page", "Time": seconds, "State": state}


def test_who_waits_for_a_table_for_long() -> None:
    locked = "Waiting for table metadata lock"
    findings = list(
        mysql.waiting([_session(locked, 40), _session(locked, 0), _session(None, 99), _session("", 99)])
    )

    assert {each.level for each in findings} == {Level.warn}
    assert [each.seen for each in findings] == [f"session 7 of page waits for 40 s: {locked}"]


@pytest.mark.parametrize(
    ("there", "applied", "level", "todo"),
    [
        (["mycdr", "cdr", "calls"], "0001", Level.ok, ""),
        ([], None, Level.fail, "legbook migrate --only clickhouse"),
        (["mycdr", "cdr", "calls"], "9999", Level.fail, "update legbook"),
        (["mycdr", "cdr"], "0001", Level.fail, "DROP TABLE legbook_version"),
    ],
)
def test_schema(there: list[str], applied: str | None, level: Level, todo: str) -> None:
    finding = revision.judged(Clickhouse(ClickhouseSettings()), there, applied)

    assert finding.level is level
    assert todo in finding.todo


def test_a_database_without_the_table_of_revisions_was_never_migrated() -> None:
    def never(_sql: str) -> str:
        raise AssertionError("asked for a table that is not there")

    assert revision.found(Mysql(MysqlSettings()), ["other"], never).level is Level.fail
    assert (
        revision.found(Mysql(MysqlSettings()), ["curcdr", "legbook_version"], lambda _: "0001").level
        is Level.ok
    )


def _table(engine: str, columns: Sequence[str] = NAMES) -> list[Finding]:
    return list(clickhouse.table(engine, columns))


def test_mycdr_is_the_table_that_the_archiver_writes() -> None:
    for engine in ("ReplacingMergeTree", "ReplicatedReplacingMergeTree", "SharedReplacingMergeTree"):
        assert _table(engine, [*NAMES, "added_by_hand"]) == []
    (wrong,) = _table("MergeTree")
    (column,) = _table("ReplacingMergeTree", [name for name in NAMES if name != "linkedid"])

    assert (wrong.level, column.level) == (Level.fail, Level.fail)
    assert column.seen == "mycdr has no column linkedid"


@pytest.mark.parametrize(
    ("may", "grants", "seen"),
    [
        (
            {"SELECT": 1, "INSERT": 1},
            ["GRANT SELECT, INSERT ON legbook.* TO l"],
            "this user may read and write mycdr",
        ),
        ({"SELECT": 1, "INSERT": 0}, ["GRANT SELECT ON legbook.* TO l"], "this user may not INSERT in mycdr"),
        ({"SELECT": 1, "INSERT": 1}, ["GRANT ALL ON *.* TO l WITH GRANT OPTION"], "write in every database"),
        (
            {"SELECT": 1, "INSERT": 1},
            ["GRANT CHECK, SELECT, INSERT, DROP ON *.* TO default"],
            "in every database",
        ),
        ({"SELECT": 1, "INSERT": 1}, ["GRANT SOURCES ON *.* TO l"], "this user may read and write mycdr"),
    ],
)
def test_rights_in_clickhouse(may: dict[str, int], grants: list[str], seen: str) -> None:
    findings = list(clickhouse.rights(may, grants))

    assert seen in findings[-1].seen
    assert findings[0].level is (Level.ok if all(may.values()) else Level.fail)
    assert [each.level for each in findings[1:]] == ([Level.warn] if "every" in seen else [])
