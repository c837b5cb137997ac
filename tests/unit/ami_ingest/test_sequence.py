from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_ingest import sequence as module
from ami_ingest.sequence import DELAY, LARGEST, Sequence
from legbook.contracts.raw import Drop, Event, Heartbeat
from tests.unit.ami_ingest.samples import HandLoop, Taker, account


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> HandLoop:
    made = HandLoop()
    monkeypatch.setattr(module, "asyncio", made)
    return made


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture
def sequence(loop: HandLoop, taker: Taker) -> Sequence:
    return Sequence("hq", 77, taker)


def beat(sequence: Sequence, count: int = 1) -> None:
    for _ in range(count):
        sequence.add(Heartbeat, state="up")


def event(sequence: Sequence, value: str, **more: Any) -> None:
    sequence.add(Event, name="X", fields={"Event": "X", "V": value}, weight=2 * len(value.encode()), **more)


def test_numbers_run_from_one_through_all_records(sequence: Sequence, taker: Taker) -> None:
    for count in (1, 3, 2):
        beat(sequence, count)
        sequence.flush()
    assert taker.seqs == [1, 2, 3, 4, 5, 6]
    assert [len(record.entries) for record in taker.taken] == [1, 3, 2]
    assert {(record.pbx, record.epoch, record.boot, record.v) for record in taker.taken} == {
        ("hq", 77, None, 1)
    }


def test_nothing_is_published_without_entries(sequence: Sequence, taker: Taker, loop: HandLoop) -> None:
    sequence.flush()
    sequence.soon()
    loop.advance(1)
    assert (taker.taken, loop.timers) == ([], [])


def test_at_most_256_entries_with_room_for_a_drop(sequence: Sequence, taker: Taker) -> None:
    beat(sequence, 1000)
    sequence.flush()
    assert [len(record.entries) for record in taker.taken] == [255, 255, 255, 235]
    taker.full = True
    beat(sequence, 256)  # the first 255 are shed
    taker.full = False
    beat(sequence, 300)
    sequence.flush()
    assert max(len(record.entries) for record in taker.taken) == 256
    assert account(taker.entries) == (1556, 255)


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600", "\ufffd", "\x01", '"', "\\", "\n"])
def test_at_most_512_kib_whatever_stands_in_it(sequence: Sequence, taker: Taker, letter: str) -> None:
    """JSON writes a control character as six bytes."""
    value = letter * (50_000 // len(letter.encode()))
    for _ in range(40):
        event(sequence, value)
    sequence.flush()
    assert taker.seqs == [*range(1, 41)]
    assert max(taker.sizes) <= LARGEST
    assert len(taker.taken) <= 40 * 2 * 6 * 50_000 // LARGEST


def test_raw_bytes_beside_the_text_count_too(sequence: Sequence, taker: Taker) -> None:
    for _ in range(20):
        event(sequence, "\ufffd" * 10_000, flags=["bad_utf8"], raw_b64="/w==" * 30_000)
    sequence.flush()
    assert max(taker.sizes) <= LARGEST
    assert taker.seqs == [*range(1, 21)]


def test_one_entry_that_is_larger_goes_alone(sequence: Sequence, taker: Taker) -> None:
    beat(sequence)
    event(sequence, "x" * (LARGEST + 1))
    event(sequence, "\x01" * 200_000)
    beat(sequence)
    sequence.flush()
    assert taker.seqs == [1, 2, 3, 4]
    assert all(
        len(r.entries) == 1 for r, size in zip(taker.taken, taker.sizes, strict=True) if size > LARGEST
    )


def test_a_quiet_pbx_waits_for_nothing(sequence: Sequence, taker: Taker, loop: HandLoop) -> None:
    for _ in range(3):
        beat(sequence)
        assert len(taker.taken[-1].entries if taker.taken else []) in {0, 1}
        sequence.soon()
        assert loop.timers == []
        loop.advance(DELAY)
    assert [len(record.entries) for record in taker.taken] == [1, 1, 1]


def test_a_busy_pbx_gets_a_record_every_5_ms(sequence: Sequence, taker: Taker, loop: HandLoop) -> None:
    for _ in range(100):
        beat(sequence)
        sequence.soon()
        loop.advance(0.001)
    loop.advance(DELAY)
    assert taker.seqs == [*range(1, 101)]
    assert 18 <= len(taker.taken) <= 22
    assert max(len(record.entries) for record in taker.taken) <= 6


def test_an_entry_waits_5_ms_at_the_most(sequence: Sequence, taker: Taker, loop: HandLoop) -> None:
    beat(sequence)
    sequence.soon()
    loop.advance(0.002)
    beat(sequence)
    sequence.soon()
    assert [timer.when for timer in loop.timers] == [pytest.approx(5000.0 + DELAY)]
    sequence.soon()
    assert len(loop.timers) == 1
    loop.advance(DELAY - 0.002 + 1e-6)
    assert taker.seqs == [1, 2]


def test_a_flush_before_its_time_takes_the_timer_back(
    sequence: Sequence, taker: Taker, loop: HandLoop
) -> None:
    beat(sequence)
    sequence.soon()
    beat(sequence)
    sequence.soon()
    sequence.flush()
    beat(sequence)
    assert all(timer.cancelled for timer in loop.timers)
    loop.advance(DELAY)
    assert taker.seqs == [1, 2], "nobody has called soon() for the third"
    sequence.soon()
    assert taker.seqs == [1, 2, 3]


def test_another_boot_cuts_the_record(sequence: Sequence, taker: Taker) -> None:
    boots: list[int | None] = [None, 5, 5, None, 6]
    for boot in boots:
        sequence.start_boot(boot)
        beat(sequence, 2)
    sequence.flush()
    assert [(record.boot, len(record.entries)) for record in taker.taken] == [
        (None, 2), (5, 4), (None, 2), (6, 2),
    ]  # fmt: skip
    assert taker.seqs == [*range(1, 11)]


def test_our_own_entries_get_the_time_of_the_pbx(sequence: Sequence, taker: Taker) -> None:
    beat(sequence)
    sequence.offset = -3600.25
    beat(sequence)
    stamp = datetime(2026, 11, 23, 5, 49, 1, 426113, tzinfo=UTC)
    event(sequence, "v", at=stamp)
    sequence.flush()
    first, second, third = taker.entries
    assert first.at is None
    assert second.at is not None
    assert second.received_at is not None
    assert second.at - second.received_at == timedelta(seconds=-3600.25)
    assert third.at == stamp


def test_what_is_shed_leaves_a_drop_with_its_last_number(sequence: Sequence, taker: Taker) -> None:
    beat(sequence, 2)
    sequence.flush()
    taker.full = True
    for count in (1, 3, 2):
        beat(sequence, count)
        sequence.flush()
    taker.full = False
    beat(sequence)
    sequence.flush()
    beat(sequence)
    sequence.flush()
    assert taker.seqs == [1, 2, 8, 9, 10]
    drop = taker.entries[2]
    assert isinstance(drop, Drop)
    assert (drop.seq, drop.count, drop.reason, drop.size) == (8, 6, "buffer_full", 0)
    assert drop.received_at == taker.entries[3].received_at


def test_shed_while_the_boot_changes(sequence: Sequence, taker: Taker) -> None:
    sequence.start_boot(1)
    taker.full = True
    beat(sequence, 3)
    sequence.start_boot(2)
    taker.full = False
    beat(sequence)
    sequence.flush()
    assert account(taker.entries) == (4, 3)
    assert [record.boot for record in taker.taken] == [2]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 300)),
        st.tuples(st.just("big"), st.integers(1, 4)),
        st.tuples(st.just("full"), st.booleans()),
        st.tuples(st.just("boot"), st.integers(1, 3)),
        st.tuples(st.just("time"), st.sampled_from([0.0, 0.001, 0.01])),
    ),
    max_size=25,
)


def take(step: tuple[str, Any], sequence: Sequence, taker: Taker, loop: HandLoop) -> int:
    """Does it; how many entries it added."""
    what, how = step
    if what == "add":
        beat(sequence, how)
        sequence.soon()
        return int(how)
    if what == "big":
        for _ in range(how):
            event(sequence, "\x01" * 60_000)
        sequence.soon()
        return int(how)
    if what == "full":
        taker.full = how
    elif what == "boot":
        sequence.start_boot(how)
    else:
        loop.advance(how)
    return 0


@given(STEPS)
def test_no_number_is_used_twice_and_none_is_missing(steps: list[tuple[str, Any]]) -> None:
    loop, taker = HandLoop(), Taker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "asyncio", loop)
        sequence = Sequence("hq", 1, taker)
        added = sum(take(step, sequence, taker, loop) for step in steps)
        sequence.flush()
        taker.full = False
        beat(sequence)
        sequence.flush()
    last, shed = account(taker.entries)
    assert last == added + 1
    own = [entry for entry in taker.entries if not isinstance(entry, Drop)]
    assert len(own) + shed == added + 1
    for record, size in zip(taker.taken, taker.sizes, strict=True):
        assert 1 <= len(record.entries) <= 256
        assert size <= LARGEST or len([e for e in record.entries if not isinstance(e, Drop)]) == 1
