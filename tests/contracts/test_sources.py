"""Where the reference says that fields and columns come from, held against recordings and against the code."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from cdr_archiver import columns as mycdr
from curcdr_projector import columns as curcdr
from legbook.calls.rules import EVENTS
from legbook.cli.reference.tables import columns
from legbook.contracts.examples import TRANSFERRED
from legbook.contracts.legs import Flags, Leg
from legbook.contracts.raw import Event
from legbook.contracts.sources import SOURCES
from tests.recorded import RECORDINGS, entries

# said by name only where the fold does not read the event itself
ELSEWHERE = {"FullyBooted", "CoreStatus"}
HOUR = timedelta(hours=1)
LIVE = replace(TRANSFERRED, state="talking", didnumber="30900")
BASES = [
    LIVE,
    replace(LIVE, peer=None),
    replace(LIVE, src_up=None),
    replace(LIVE, answer=None),
    replace(LIVE, start=None),
    replace(LIVE, start=None, born=None),
]
OTHERWISE: dict[str, Any] = {
    "kind": "caller",
    "state": "ringing",
    "end_reason": "snapshot",
    "disposition": "BUSY",
    "peer": None,
    "src_gone": datetime(2026, 11, 23, tzinfo=UTC),
    "flags": Flags(pickup=True),
    "leg_id": LIVE.leg_id + (3_600_000 << 12),
}


def changed(name: str, leg: Leg) -> Any:
    """Another value for this field."""
    value = getattr(leg, name)
    if name in OTHERWISE:
        return OTHERWISE[name]
    match value:
        case None | datetime():
            return (value or leg.end or datetime.now(UTC)) + HOUR
        case bool():
            return not value
        case int() | float():
            return value + 1
        case list():
            return []
        case _:
            return f"{value}-"


def behind(row: Callable[[Leg], tuple[Any, ...]], names: tuple[str, ...]) -> dict[str, set[str]]:
    """Column -> the fields whose change changes it."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for leg in BASES:
        for field in set(SOURCES) - {"v"}:
            rows = row(leg), row(replace(leg, **{field: changed(field, leg)}))
            for name, one, two in zip(names, *rows, strict=True):
                if one != two:
                    found[name].add(field)
    return found


def told(fields: Mapping[str, tuple[str, ...]], names: tuple[str, ...]) -> dict[str, set[str]]:
    return {name: set(fields.get(name, (name,))) for name in names}


def test_every_column_of_curcdr_comes_from_the_fields_that_are_told() -> None:
    assert behind(lambda leg: curcdr.row(leg, UTC), curcdr.COLUMNS) == told(curcdr.FIELDS, curcdr.COLUMNS)


def test_every_column_of_mycdr_comes_from_the_fields_that_are_told() -> None:
    assert behind(mycdr.row, mycdr.NAMES) == told(mycdr.FIELDS, mycdr.NAMES)


def test_the_sql_has_the_columns_that_are_filled() -> None:
    live, archive = columns("curcdr_projector")["curcdr"], columns("cdr_archiver")
    assert set(curcdr.COLUMNS) <= {each.name for each in live}
    assert tuple(each.name for each in archive["mycdr"]) == mycdr.NAMES
    assert tuple(each.name for each in archive["cdr"]) == mycdr.NAMES[:-1]
    for each in (*live, *archive["mycdr"], *archive["cdr"], *archive["calls"]):
        assert each.comment, each


def test_every_field_of_a_leg_has_a_source() -> None:
    assert tuple(SOURCES) == tuple(name for name in Leg.__struct_fields__ if name in SOURCES)
    assert set(SOURCES) == set(Leg.__struct_fields__)


@cache
def recorded() -> dict[str, set[str]]:
    """Event -> the names of its fields, in all recordings."""
    found: dict[str, set[str]] = {}
    for recording in RECORDINGS:
        for placed in entries(recording):
            if isinstance(placed.entry, Event):
                found.setdefault(placed.entry.name, set()).update(placed.entry.fields)
    return found


@pytest.mark.parametrize("field", SOURCES)
def test_events_and_fields_that_are_named_exist(field: str) -> None:
    for event, name in re.findall(r"\b([A-Z]\w+)\.([A-Z][\w-]*)", SOURCES[field]):
        assert event in {*EVENTS, *ELSEWHERE}, event
        # not in a recording of ours: no masquerade, and the login's own event only where it was recorded
        if event in recorded():
            assert name in recorded()[event], (event, name)
        else:
            assert (event, name) in {("Rename", "Newname"), ("FullyBooted", "Uptime")}
