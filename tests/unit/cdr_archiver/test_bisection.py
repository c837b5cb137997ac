from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cdr_archiver.table import Part, Table
from legbook.runtime.settings import ClickhouseSettings


class Picky(Table):
    """Refuses every batch with a bad row in it."""

    def __init__(self, bad: set[int]) -> None:
        super().__init__(ClickhouseSettings.model_validate({"url": "http://nowhere/x"}))
        self.bad, self.stored, self.tries = bad, list[int](), 0

    async def _put(self, rows: Sequence[Sequence[Any]]) -> str | None:
        self.tries += 1
        if any(row[0] in self.bad for row in rows):
            return "bad"
        self.stored += [row[0] for row in rows]
        return None


async def parts(table: Table, rows: int) -> list[Part]:
    return [part async for part in table.insert([(number,) for number in range(rows)])]


@given(rows=st.integers(0, 60), bad=st.sets(st.integers(0, 59)))
async def test_each_row_is_told_of_once_in_order_and_only_the_bad_stay_out(rows: int, bad: set[int]) -> None:
    table = Picky(bad)
    told = await parts(table, rows)
    assert [number for part in told for number in range(part.begin, part.end)] == list(range(rows))
    assert {part.begin for part in told if part.refused} == bad & set(range(rows))
    assert table.stored == [number for number in range(rows) if number not in bad]


async def test_one_bad_row_of_ten_thousand_costs_thirty_inserts() -> None:
    table = Picky({7777})
    assert sum(part.refused is not None for part in await parts(table, 10_000)) == 1
    assert table.tries <= 30


async def test_who_has_seen_enough_may_stop() -> None:
    table = Picky(set(range(10_000)))
    async for part in table.insert([(number,) for number in range(10_000)]):
        if part.begin == 20:
            break
    assert table.tries < 100
