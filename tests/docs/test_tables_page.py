"""The page about tables says what the servers have once they are migrated, not only what the SQL files say."""

import re
from typing import Any

import pytest

from legbook.cli.reference.tables import Column, columns
from legbook.demo.watch import Watch

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_curcdr_is_as_the_page_says(calls: Watch) -> None:
    with calls._mysql.cursor() as cursor:
        cursor.execute("SHOW FULL COLUMNS FROM curcdr")
        there: list[dict[str, Any]] = list(cursor.fetchall())
    told = columns("curcdr_projector")["curcdr"]
    assert [(row["Field"], row["Comment"]) for row in there] == [(each.name, each.comment) for each in told]
    types = [re.sub(r"INT\(\d+\)", "INT", row["Type"].upper()) for row in there]  # MariaDB shows bigint(20)
    assert types == [each.type for each in told]


@pytest.mark.parametrize("name", ["mycdr", "cdr", "calls"])
async def test_the_archive_is_as_the_page_says(calls: Watch, name: str) -> None:
    there = calls.query(
        "SELECT name, type, comment FROM system.columns WHERE database = currentDatabase() AND table = {name:String}"
        " ORDER BY position",
        name=name,
    )
    assert [Column(row["name"], row["type"], row["comment"]) for row in there] == columns("cdr_archiver")[
        name
    ]
