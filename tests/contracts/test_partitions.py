import re
from itertools import product

import pytest
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from legbook.contracts.topics import partition_of
from tests.contracts.folder import CONTRACTS

NAMES = [f"{first}{'x' * length}{last}" for first, length, last in product("a7", range(31), "0z-_")]


def of_aiokafka(name: str, partitions: int) -> int:
    numbers = list(range(partitions))
    found: int = DefaultPartitioner()(name.encode(), numbers, numbers)
    return found


@pytest.mark.parametrize("partitions", [1, 2, 4, 12, 13])
def test_the_partition_is_kafkas_murmur2(partitions: int) -> None:
    found = [partition_of(name, partitions) for name in NAMES]
    assert found == [of_aiokafka(name, partitions) for name in NAMES]
    assert set(found) == set(range(partitions))


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True), st.integers(1, 1000))
def test_the_partition_is_kafkas_murmur2_for_any_name(name: str, partitions: int) -> None:
    assert partition_of(name, partitions) == of_aiokafka(name, partitions)


def test_the_readme_tells_others_how_to_check_theirs() -> None:
    rows = re.findall(
        r"^\| `([a-z0-9_-]+)` \| (\d+) \| (\d+) \|$", (CONTRACTS / "README.md").read_text(), re.MULTILINE
    )
    assert len(rows) >= 5
    for name, four, twelve in rows:
        assert (int(four), int(twelve)) == (of_aiokafka(name, 4), of_aiokafka(name, 12))
