"""What the migrated tables are."""

import re

import pymysql
import pytest
from clickhouse_connect.driver.client import Client

from curcdr_projector.columns import WIDTHS

ASTERCC = (
    "id src dst srcname srcchan dstchan didnumber starttime answertime calldate srcuid dstuid queue disposition "
    "userid groupid accountid resellerid credit callshopcredit resellercredit creditlimit destination dialstring "
    "dialstatus agentchan memo accountcode pushcall monitored"
)
MYCDR_OF_ASTERCC = (
    "calldate src dst srcname channel dstchannel didnumber duration billsec billsec_leg_a disposition accountcode "
    "srcuid dstuid queue dialstring dialstatus hangupcause hangupcausetxt"
)
COLUMNS = """
    SELECT column_name AS name, column_type AS type, column_comment AS comment, collation_name AS collation
    FROM information_schema.columns WHERE table_schema = database() AND table_name = 'curcdr'
    ORDER BY ordinal_position
"""
Rows = list[dict[str, str]]


@pytest.fixture
def columns(curcdr: "pymysql.cursors.DictCursor") -> Rows:
    curcdr.execute(COLUMNS)
    return list(curcdr.fetchall())


def insert(curcdr: "pymysql.cursors.DictCursor", **row: object) -> None:
    names = {"id": 1, "pbx": "hq", "ver": 2**64 - 1} | row
    marks = ", ".join(["%s"] * len(names))
    curcdr.execute(f"INSERT INTO curcdr ({', '.join(names)}) VALUES ({marks})", list(names.values()))


def test_curcdr_has_astercc_s_columns_in_its_order_then_ours(columns: Rows) -> None:
    assert " ".join(column["name"] for column in columns) == f"{ASTERCC} pbx linkedid ver"


def test_every_column_of_curcdr_says_what_it_means(columns: Rows) -> None:
    assert [column["name"] for column in columns if not column["comment"]] == []


def test_curcdr_is_as_wide_as_astercc_and_as_asterisk(columns: Rows) -> None:
    widths = {c["name"]: int(w[1]) for c in columns if (w := re.fullmatch(r"varchar\((\d+)\)", c["type"]))}
    astercc = {
        "src": 50,
        "srcname": 100,
        "srcchan": 100,
        "srcuid": 40,
        "queue": 30,
        "didnumber": 30,
        "memo": 100,
    }
    asterisk = {"dst": 80, "dstchan": 80, "dstuid": 150, "linkedid": 150, "queue": 80, "accountcode": 80}
    for wanted in (astercc, asterisk):
        assert {name: widths[name] >= width for name, width in wanted.items()} == dict.fromkeys(wanted, True)


def test_the_writer_cuts_texts_where_the_table_would(columns: Rows) -> None:
    table = {column["name"]: column["type"] for column in columns}
    written = {name: f"varchar({width})" for name, width in WIDTHS.items() if width is not None}
    assert {name: table[name] for name in written} == written


def test_curcdr_is_in_memory_with_sorted_keys_and_room(curcdr: "pymysql.cursors.DictCursor") -> None:
    curcdr.execute("SHOW TABLE STATUS LIKE 'curcdr'")
    (status,) = curcdr.fetchall()
    assert status["Engine"] == "MEMORY"
    assert status["Max_data_length"] // status["Avg_row_length"] > 50_000
    curcdr.execute("SHOW INDEX FROM curcdr")
    keys = curcdr.fetchall()
    assert {key["Index_type"] for key in keys} == {"BTREE"}
    assert " ".join(key["Column_name"] for key in keys) == "id src dst srcchan dstchan srcuid dstuid pbx"


def test_a_row_has_the_defaults_of_astercc(curcdr: "pymysql.cursors.DictCursor") -> None:
    insert(curcdr)
    curcdr.execute("SELECT * FROM curcdr WHERE answertime = '0000-00-00 00:00:00'")
    (row,) = curcdr.fetchall()
    assert (row["pushcall"], row["monitored"], row["credit"], row["memo"]) == ("no", 0, 0.0, "")
    assert row["ver"] == 2**64 - 1


def test_ids_are_ours(curcdr: "pymysql.cursors.DictCursor") -> None:
    insert(curcdr, id=2**53 - 1)
    with pytest.raises(pymysql.err.IntegrityError):
        insert(curcdr, id=2**53 - 1)
    with pytest.raises(pymysql.err.OperationalError, match="default value"):
        curcdr.execute("INSERT INTO curcdr (pbx, ver) VALUES ('hq', 1)")


@pytest.mark.parametrize(
    "condition", ["srcchan LIKE 'SIP/201-%%'", "dstchan = 'AGENT/1001'", "pbx = 'HQ'", "srcname = 'zoË'"]
)
def test_old_pages_need_not_care_for_case(curcdr: "pymysql.cursors.DictCursor", condition: str) -> None:
    insert(curcdr, srcchan="sip/201-0000019d", dstchan="agent/1001", srcname="Zoë")
    assert curcdr.execute(f"SELECT id FROM curcdr WHERE {condition}") == 1


def test_names_are_in_any_language(curcdr: "pymysql.cursors.DictCursor") -> None:
    insert(curcdr, srcname="Иван 😀", memo="通話", destination="Česko")
    curcdr.execute("SELECT srcname, memo, destination FROM curcdr")
    assert list(curcdr.fetchone().values()) == ["Иван 😀", "通話", "Česko"]  # type: ignore[union-attr]


def described(client: Client, table: str) -> dict[str, tuple[str, str]]:
    found = client.query(
        "SELECT name, type, comment FROM system.columns WHERE database = currentDatabase() "
        "AND table = {table:String} ORDER BY position",
        parameters={"table": table},
    )
    return {name: (kind, comment) for name, kind, comment in found.result_rows}


@pytest.mark.parametrize("table", ["mycdr", "cdr", "calls"])
def test_every_column_in_clickhouse_says_what_it_means(mycdr: Client, table: str) -> None:
    found = described(mycdr, table)
    assert len(found) > 20
    assert [name for name, (_, comment) in found.items() if not comment] == []


def test_mycdr_has_astercc_s_names_and_order_where_they_exist(mycdr: Client) -> None:
    theirs = set(MYCDR_OF_ASTERCC.split())
    assert " ".join(name for name in described(mycdr, "mycdr") if name in theirs) == MYCDR_OF_ASTERCC


def test_the_view_cdr_is_mycdr_without_is_deleted(mycdr: Client) -> None:
    table = described(mycdr, "mycdr")
    assert table.pop("is_deleted") == ("UInt8", "1: this leg is to be forgotten; set by hand only")
    assert described(mycdr, "cdr") == table


def test_mycdr_replaces_by_what_is_fixed_at_birth(mycdr: Client) -> None:
    found = mycdr.query(
        "SELECT engine_full, sorting_key, partition_key FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'mycdr'"
    )
    engine, sorting, partition = found.result_rows[0]
    assert engine.startswith("ReplacingMergeTree(ver, is_deleted)")
    assert (sorting, partition) == ("pbx, toDate(calldate), leg_id", "toYYYYMM(calldate)")
    assert "non_replicated_deduplication_window = 0" in engine


def test_the_database_is_atomic(mycdr: Client) -> None:
    found = mycdr.query("SELECT engine FROM system.databases WHERE name = currentDatabase()")
    assert found.result_rows == [("Atomic",)]
