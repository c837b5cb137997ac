import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from legbook.fakepbx.expected import TableError, read_table, table_of
from legbook.fakepbx.moments import from_datetime, to_datetime
from legbook.fakepbx.player import Playlist, Round
from legbook.fakepbx.recording import load
from legbook.fakepbx.truth import NoTableError, Truth
from tests.unit.fakepbx.samples import BEGIN, NAMES, RECORDINGS, event, parsed, timeline, write

HEADER = (
    "kind  src  dst  dialled  exten  did  caller  called  srcuid  dstuid  "
    "born  start  ring  answer  end  disposition  billsec  cause  queue\n"
)
TABLE = (
    "# a call of 10 seconds\n"
    + HEADER
    + "dial    201  202  202  202  -  201  202  1700000000.1  1700000000.2  "
    + "1  2  3  4.5  9  ANSWERED  4.500000  16  -\n"
    + "caller  201  999  -    999  -  201  -    1700000000.1  -             1  1  -  -    5  NO ANSWER  0  -  -\n"
)


@pytest.fixture
def call(tmp_path: Path) -> Path:
    rows = [
        {"t": 0.0, "banner": "x"},
        event(0.5, "Newchannel", Channel="SIP/201-0000000a", Uniqueid="1700000000.1"),
        event(0.6, "Newchannel", Channel="SIP/202-0000000b", Uniqueid="1700000000.2"),
        event(9.0, "Hangup", Channel="SIP/202-0000000b", Uniqueid="1700000000.2"),
    ]
    return write(tmp_path / "recordings" / "profile" / "call.jsonl.gz", rows)


def tabled(call: Path, table: str = TABLE) -> Path:
    path = call.parents[2] / "expected" / "profile" / "call.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(table)
    return call


def at(seconds: float) -> datetime:
    return to_datetime(BEGIN) + timedelta(seconds=seconds)


def played(call: Path, rounds: int = 2, spacing: float | None = 4.0) -> tuple[Truth, list[Round]]:
    line, opened = timeline(Playlist([load(call)], rounds=rounds, spacing=spacing))
    while line.take(None, 1000)[0]:
        pass
    return Truth(opened), opened


@pytest.mark.parametrize(
    ("seconds", "live", "finished"),
    [
        (0.9, [], 0),
        (1.0, [(0, "RING"), (0, "RING")], 0),
        (2.0, [(0, "DIAL"), (0, "RING")], 0),
        (3.0, [(0, "RINGING"), (0, "RING")], 0),
        (4.5, [(0, "LINK"), (0, "RING")], 0),
        (5.0, [(0, "LINK"), (1, "RING"), (1, "RING")], 1),
        (8.75, [(0, "LINK"), (1, "LINK"), (1, "RING")], 1),
        (9.0, [(1, "LINK")], 3),
        (13.0, [], 4),
    ],
)
def test_two_overlapping_rounds_moment_by_moment(
    call: Path, seconds: float, live: list[tuple[int, str]], finished: int
) -> None:
    truth, _ = played(tabled(call))
    assert [(leg.round, leg.state) for leg in truth.live(at(seconds))] == live
    assert len(truth.finished(at(seconds))) == finished


def test_a_leg_has_the_names_and_times_of_its_round(call: Path) -> None:
    truth, _ = played(tabled(call))
    first, second = (leg for leg in truth.finished(at(20)) if leg.kind == "dial")
    assert (first.srcuid, first.dstuid) == ("1800000000.0", "1800000000.1")
    assert (second.srcuid, second.dstuid) == ("1800000004.2", "1800000004.3")
    times = [second.born, second.start, second.ring, second.answer, second.end]
    assert times == [at(5), at(6), at(7), at(8.5), at(13)]
    assert (second.scenario, second.billsec, second.cause, second.did) == ("call", 4.5, "16", None)
    assert second.state is None


def test_before_anyone_is_dialled_the_row_is_the_callers(call: Path) -> None:
    truth, _ = played(tabled(call))
    ringing = truth.live(at(1.5))[0]
    assert (ringing.srcuid, ringing.dstuid, ringing.called) == ("1800000000.0", None, None)


def test_a_restart_cuts_what_was_live_and_spares_what_was_over(call: Path) -> None:
    truth, rounds = played(tabled(call))
    for item in rounds:
        item.cut = from_datetime(at(6.5))
    assert [(leg.round, leg.state) for leg in truth.live(at(6.4))] == [(0, "LINK"), (1, "DIAL"), (1, "RING")]
    assert truth.cut(at(6.4)) == []
    assert truth.live(at(6.5)) == []
    assert [(leg.round, leg.state) for leg in truth.cut(at(20))] == [(0, "LINK"), (1, "DIAL"), (1, "RING")]
    assert [(leg.round, leg.kind) for leg in truth.finished(at(20))] == [(0, "caller")]


def test_without_a_table_there_is_no_truth(call: Path) -> None:
    truth, _ = played(call)
    with pytest.raises(NoTableError, match=re.escape(str(call))):
        truth.finished(at(1))


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (TABLE.replace("srcuid  dstuid", "dstuid  srcuid"), "line 2: the columns are"),
        (TABLE.replace("  4.500000", ""), "line 3: 18 columns instead of 19"),
        (TABLE.replace("caller  201", "queue   201"), "line 4: kind queue is neither"),
        (TABLE.replace("1700000000.2", "1700000000.7"), "line 3: dstuid 1700000000.7 does not occur"),
        (TABLE.replace("  9  ANSWERED", "  -  ANSWERED"), "line 3: a leg has a born and an end"),
        (TABLE.replace("  9  ANSWERED", "  nine  ANSWERED"), "line 3: end: nine is not a number"),
    ],
)
def test_a_wrong_table_is_refused_by_file_and_line(call: Path, table: str, complaint: str) -> None:
    recorded = load(tabled(call, table))
    with pytest.raises(TableError, match=complaint) as caught:
        read_table(table_of(recorded), recorded)
    assert "call.txt" in str(caught.value)


TABLED = [path for path in RECORDINGS if table_of(load(path)).exists()]


@pytest.mark.parametrize(
    "path", TABLED, ids=[name for name, path in zip(NAMES, RECORDINGS, strict=True) if path in TABLED]
)
def test_the_tables_fit_what_is_played(path: Path) -> None:
    """Each dial leg starts at its DialBegin and ends at its Hangup, to the microsecond."""
    line, opened = timeline(Playlist([load(path)], rounds=3, spacing=2.5))
    events, _ = line.take(None, 10_000)
    seen = {
        (m.first("Event"), m.first("DestUniqueid") or m.first("Uniqueid")): m.first("Timestamp")
        for m in parsed([data for _, data in events])
        if m.first("Event") in {"DialBegin", "Hangup"} and not m.first("DestChannel").startswith("Local/")
    }
    legs = [leg for leg in Truth(opened).finished(at(3600)) if leg.kind == "dial"]
    assert len(legs) == sum(event == "DialBegin" for event, _ in seen)
    for leg in legs:
        assert leg.dstuid is not None
        assert seen["DialBegin", leg.dstuid] == f"{leg.start.timestamp():.6f}"
        assert seen["Hangup", leg.dstuid] == f"{leg.end.timestamp():.6f}"
