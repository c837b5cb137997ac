"""`curcdr` over time: the rows that a page sees, worked out by hand, after every instant at which one changes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from curcdr_projector.columns import COLUMNS, row
from legbook.ami.names import device_of
from legbook.calls import PbxState
from legbook.cli.recordings import Placed
from legbook.contracts.legs import Leg
from tests.recorded import FIXTURES, entries, first_line, new_state

TABLES = sorted((FIXTURES / "expected").glob("*/*.rows.txt"))
TOLERANCE = 0.05  # seconds
STEP = timedelta(seconds=0.02)  # of the heartbeats between the events, which a running system has


def _time(placed: Placed) -> datetime:
    moment = placed.entry.at or placed.entry.received_at
    assert moment is not None
    return moment


def _moments(state: PbxState, placed: list[Placed]) -> Iterator[datetime]:
    """Each instant at which the state may have changed; time goes on between the events."""
    for moment, same in groupby(placed, key=_time):
        time = state.now
        while time is not None and time + STEP < moment:
            time += STEP
            state.advance(time)
            yield time
        for each in same:
            state.apply(each.entry, epoch=each.epoch, boot=each.boot)
        yield moment


def _shown(leg: Leg, number: int) -> str:
    cells = dict(zip(COLUMNS, row(leg, UTC), strict=True))
    source, called = device_of(str(cells["srcchan"])), leg.dstdevice
    who = f"r{number} {cells['disposition']} {cells['src'] or '-'}->{cells['dst']}"
    return f"{who} {called or '-'} {source or '-'} {cells['didnumber'] or '-'} {cells['queue'] or '-'}"


def _rows_over_time(recording: Path) -> list[tuple[float, str]]:
    state, since, numbers = new_state(), first_line(recording), dict[int, int]()
    seen = [(0.0, "-")]
    for moment in _moments(state, entries(recording)):
        for leg_id in sorted(state.legs):
            numbers.setdefault(leg_id, len(numbers) + 1)
        rows = [_shown(state.legs[leg_id], numbers[leg_id]) for leg_id in sorted(state.legs)]
        shown = "  ".join(rows) or "-"
        if shown != seen[-1][1]:
            seen.append(((moment - since).total_seconds(), shown))
    return seen[1:]


def _wanted(table: Path) -> list[tuple[float, str]]:
    lines = [line for line in table.read_text().splitlines() if line and not line.startswith("#")]
    return [(float(time), rows) for time, rows in (line.split("  ", 1) for line in lines)]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.parent.name}/{t.name.removesuffix('.rows.txt')}")
def test_the_rows_over_time(table: Path) -> None:
    name = table.name.replace(".rows.txt", ".jsonl.gz")
    recording = FIXTURES / "recordings" / table.parent.name / name

    found, wanted = _rows_over_time(recording), _wanted(table)

    assert [rows for _, rows in found] == [rows for _, rows in wanted]
    for (when, rows), (then, _) in zip(found, wanted, strict=True):
        assert abs(when - then) <= TOLERANCE, rows
