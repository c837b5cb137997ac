from pathlib import Path

import pytest

from legbook.fakepbx.expected import read_table, table_of
from legbook.fakepbx.lives import lives
from legbook.fakepbx.moments import SECOND
from legbook.fakepbx.outcome import as_it_went
from legbook.fakepbx.recording import load
from tests.unit.fakepbx.samples import NAMES, RECORDINGS

# A leg behind a Local channel is answered when both bridges are full, and a script is read without that
TABLED = [
    (path, name)
    for path, name in zip(RECORDINGS, NAMES, strict=True)
    if table_of(load(path)).exists() and "local" not in name
]


@pytest.mark.parametrize("path", [path for path, _ in TABLED], ids=[name for _, name in TABLED])
def test_a_recording_that_nothing_changed_went_as_its_table_says(path: Path) -> None:
    """The tables were read off by hand: they judge how a script is read."""
    recorded = load(path)
    table = read_table(table_of(recorded), recorded)
    rows = as_it_went(table, recorded.templates)
    assert len(rows) == len(table)
    for row, wanted in zip(rows, table, strict=True):
        assert (row.kind, row.texts) == (wanted.kind, wanted.texts)
        for name in ("born", "start", "ring", "answer", "end"):
            assert getattr(row, name) == getattr(wanted, name), name
        assert row.billsec == pytest.approx(wanted.billsec, abs=0.000_002)


def test_a_channel_is_what_the_newest_event_says() -> None:
    recorded = load(next(path for path in RECORDINGS if "22.10.1-pjsip/06" in str(path)))
    half = [event for event in recorded.templates if event.offset < SECOND]
    trunk, *phones = lives(half).values()
    assert [life.snapshot["ChannelStateDesc"] for life in phones] == ["Ringing"] * 3
    assert (trunk.snapshot["Exten"], trunk.snapshot["Context"]) == ("1000", "ext-group")
    assert all(life.end is None and life.answer is None for life in (trunk, *phones))
