"""`curcdr` is a cache: fenced, repaired, and never at the cost of what pages wrote."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

import pymysql
import pytest
from msgspec.structs import replace

from curcdr_projector.columns import row
from curcdr_projector.session import Session
from curcdr_projector.settings import Settings
from curcdr_projector.table import Table
from legbook.contracts.legs import Leg
from legbook.devstack import Stack
from legbook.runtime.settings import MysqlSettings
from legbook.runtime.stop import CannotStartError
from tests.unit.curcdr_projector.test_columns import LEG
from tests.waiting import until

ZONES = {"hq": ZoneInfo("UTC")}
Page = Any


class Owner:
    """Stands for the shard: what lives, and whether Kafka would let it publish."""

    def __init__(self) -> None:
        self.legs: dict[int, Leg] = {}
        self.fenced = False
        self.proofs = 0

    def live(self) -> list[Leg]:
        return list(self.legs.values())

    async def prove(self) -> None:
        self.proofs += 1
        if self.fenced:
            await asyncio.Event().wait()  # a fenced owner never gets its transaction through


@asynccontextmanager
async def writing(
    mysql: MysqlSettings, owner: Owner, *, check: float = 0.2, flush: float = 0.02
) -> AsyncIterator[Table]:
    settings = Settings(check_interval=check, flush_interval=flush)
    table = Table(settings, mysql, (0, 1), ZONES, owner.live, owner.prove)
    task = asyncio.create_task(table.run())
    try:
        yield table
    finally:
        task.cancel()
        await asyncio.wait([task])


def put(owner: Owner, table: Table, leg: Leg) -> None:
    if leg.state == "ended":
        owner.legs.pop(leg.leg_id, None)
    else:
        owner.legs[leg.leg_id] = leg
    table.put(leg)


def look(page: Page, sql: str = "SELECT * FROM curcdr ORDER BY id") -> Callable[[], list[dict[str, Any]]]:
    def rows() -> list[dict[str, Any]]:
        with page.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    return rows


def write(page: Page, sql: str) -> None:
    with page.cursor() as cursor:
        cursor.execute(sql)


def _states(rows: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(row["id"], row["disposition"]) for row in rows]


async def test_a_leg_is_a_row_while_it_lives(mysql: MysqlSettings, page: Page) -> None:
    owner = Owner()
    async with writing(mysql, owner) as table:
        put(owner, table, LEG)
        await until(look(page), lambda rows: _states(rows) == [(7, "RINGING")])
        put(owner, table, replace(LEG, state="talking", seq=4))
        await until(look(page), lambda rows: _states(rows) == [(7, "LINK")])
        put(owner, table, replace(LEG, state="ended", seq=5))
        await until(look(page), lambda rows: rows == [])


async def test_without_mysql_nothing_piles_up(mysql: MysqlSettings, page: Page) -> None:
    """The re-sync needs the legs that live then, not all that there have been."""
    owner = Owner()
    owner.fenced = True
    async with writing(mysql, owner) as table:
        await until(lambda: owner.proofs)
        for leg_id in range(1, 1000):
            put(owner, table, replace(LEG, leg_id=leg_id))
            put(owner, table, replace(LEG, leg_id=leg_id, state="ended", seq=5))
        put(owner, table, LEG)
        assert table._changed == {}
    owner.fenced = False
    async with writing(mysql, owner):
        await until(look(page), lambda rows: _states(rows) == [(LEG.leg_id, "RINGING")])


async def test_the_first_change_after_silence_does_not_wait(mysql: MysqlSettings, page: Page) -> None:
    owner = Owner()
    async with writing(mysql, owner, check=3600, flush=3600) as table:
        await until(lambda: table.trouble, lambda trouble: trouble is None)
        put(owner, table, LEG)
        await until(look(page), lambda rows: _states(rows) == [(7, "RINGING")])


@pytest.mark.parametrize(
    "damage",
    ["TRUNCATE curcdr", "DELETE FROM curcdr WHERE id=7", "UPDATE curcdr SET ver=1, dst='x' WHERE id=7"],
)
async def test_the_comparison_repairs(mysql: MysqlSettings, page: Page, damage: str) -> None:
    owner = Owner()
    async with writing(mysql, owner) as table:
        put(owner, table, LEG)
        await until(look(page), lambda rows: len(rows) == 1)
        write(page, damage)

        await until(
            look(page), lambda rows: [(r["id"], r["dst"], r["ver"]) for r in rows] == [(7, "1000", LEG.ver)]
        )


async def test_a_row_of_no_leg_is_deleted(mysql: MysqlSettings, page: Page) -> None:
    owner = Owner()
    async with writing(mysql, owner):
        await until(lambda: owner.proofs)
        write(page, "INSERT INTO curcdr (id, pbx, ver) VALUES (99, 'hq', 1)")

        await until(look(page), lambda rows: rows == [])


async def test_what_pages_write_stays(mysql: MysqlSettings, page: Page) -> None:
    owner = Owner()
    async with writing(mysql, owner) as table:
        put(owner, table, LEG)
        await until(look(page), lambda rows: len(rows) == 1)
        write(
            page,
            "UPDATE curcdr SET monitored=5, creditlimit=-10, memo='m', starttime='2020-01-01' WHERE id=7",
        )
        put(owner, table, replace(LEG, state="talking", seq=9))

        (row,) = await until(look(page), lambda rows: _states(rows) == [(7, "LINK")])
        assert (row["monitored"], row["creditlimit"], row["memo"], row["starttime"].year) == (
            5,
            -10,
            "m",
            2020,
        )


async def test_a_link_set_by_a_page_is_not_taken_back(mysql: MysqlSettings, page: Page) -> None:
    owner = Owner()
    async with writing(mysql, owner) as table:
        put(owner, table, LEG)
        await until(look(page), lambda rows: len(rows) == 1)
        write(page, "UPDATE curcdr SET disposition='LINK', answertime='2026-01-01 10:00:00' WHERE id=7")
        put(owner, table, replace(LEG, seq=9, dialstatus="NEWS"))

        (row,) = await until(look(page), lambda rows: rows[0]["dialstatus"] == "NEWS")
        assert (row["disposition"], str(row["answertime"])) == ("LINK", "2026-01-01 10:00:00")


async def test_a_new_owner_takes_the_lock_from_a_stalled_one(mysql: MysqlSettings, page: Page) -> None:
    old, new = Owner(), Owner()
    async with writing(mysql, old) as table:
        put(old, table, LEG)
        await until(look(page), lambda rows: len(rows) == 1)
        old.fenced = True
        async with writing(mysql, new) as successor:
            put(new, successor, replace(LEG, leg_id=8))
            await until(look(page), lambda rows: [row["id"] for row in rows] == [8])
            put(old, table, replace(LEG, leg_id=9))  # the zombie has not heard of it yet

            with pytest.raises(AssertionError, match="waited"):
                await until(look(page), lambda rows: [row["id"] for row in rows] != [8], patience=1)


async def test_without_proof_nothing_is_written(mysql: MysqlSettings, page: Page) -> None:
    owner = Owner()
    owner.fenced = True
    async with writing(mysql, owner) as table:
        put(owner, table, LEG)
        await until(lambda: owner.proofs)

        with pytest.raises(AssertionError, match="waited"):
            await until(look(page), lambda rows: rows != [], patience=0.5)


async def test_a_lost_session_is_replaced_and_proven_again(
    mysql: MysqlSettings, page: Page, stack: Stack
) -> None:
    owner = Owner()
    async with writing(mysql, owner) as table:
        put(owner, table, LEG)
        await until(look(page), lambda rows: len(rows) == 1)
        (holder,) = look(page, f"SELECT IS_USED_LOCK('{mysql.parsed().database}.0') AS id")()
        write(page, f"KILL CONNECTION {holder['id']}")
        put(owner, table, replace(LEG, state="talking", seq=9))

        await until(look(page), lambda rows: _states(rows) == [(7, "LINK")])
        assert owner.proofs == 2


def test_a_missing_table_names_the_command(mysql: MysqlSettings, page: Page) -> None:
    write(page, "DROP TABLE curcdr")
    session = Session(mysql, 0)
    try:
        with pytest.raises(CannotStartError, match="legbook migrate"):
            session.check_table()
    finally:
        session.abort()


def test_one_statement_for_many_rows(mysql: MysqlSettings, page: Page) -> None:
    """Else pymysql falls back to one round trip a row if anything but placeholders stands in VALUES."""
    session = Session(mysql, 0)
    try:
        before = look(page, "SHOW GLOBAL STATUS LIKE 'Com_insert'")()[0]["Value"]
        session.put([row(replace(LEG, leg_id=n), ZONES["hq"]) for n in range(1, 150)])
        after = look(page, "SHOW GLOBAL STATUS LIKE 'Com_insert'")()[0]["Value"]
    finally:
        session.abort()
    assert int(after) - int(before) <= 2
    assert len(look(page)()) == 149


def test_the_server_is_strict(page: Page) -> None:
    """We must never lean on a lax server: the seed's zero dates need our own mode."""
    assert "NO_ZERO_DATE" in look(page, "SELECT @@global.sql_mode AS mode")()[0]["mode"]
    write(page, "SET SESSION sql_mode=@@global.sql_mode")
    with pytest.raises(pymysql.MySQLError):
        write(page, "INSERT INTO curcdr (id, pbx, ver, starttime) VALUES (1, 'hq', 1, '0000-00-00 00:00:00')")


async def test_the_comparison_runs_under_steady_load(mysql: MysqlSettings, page: Page) -> None:
    owner = Owner()
    async with writing(mysql, owner) as table:
        put(owner, table, LEG)
        await until(look(page), lambda rows: len(rows) == 1)
        write(page, "TRUNCATE curcdr")
        busy = replace(LEG, leg_id=8)

        def change() -> list[dict[str, Any]]:
            nonlocal busy
            busy = replace(busy, seq=busy.seq + 1)
            put(owner, table, busy)
            return look(page)()

        await until(change, lambda rows: [row["id"] for row in rows] == [7, 8], patience=5, every=0.001)


async def test_a_row_that_the_server_refuses_costs_itself(mysql: MysqlSettings, page: Page) -> None:
    owner = Owner()
    async with writing(mysql, owner) as table:
        await until(lambda: owner.proofs)
        write(page, "ALTER TABLE curcdr MODIFY dialstatus VARCHAR(3)")
        put(owner, table, replace(LEG, dialstatus="ANSWER"))
        put(owner, table, replace(LEG, leg_id=8))

        await until(look(page), lambda rows: [row["id"] for row in rows] == [8])


async def test_aborting_a_session_waits_for_nobody(mysql: MysqlSettings) -> None:
    """The loop must go on while a thread waits for the server."""
    session = Session(mysql, 0)
    with session._connection.cursor() as cursor:
        waiting = asyncio.create_task(asyncio.to_thread(cursor.execute, "SELECT SLEEP(5)"))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(1):
            session.abort()
            with pytest.raises(pymysql.MySQLError):
                await waiting
