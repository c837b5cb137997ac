"""The fold alone: beside decoding what it folds, with many calls alive, and what a checkpoint costs."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any, Final

from legbook.calls import PbxState
from legbook.contracts.codec import decode_raw
from legbook.contracts.raw import Event, RawRecord
from legbook.demo.world import World
from tests.benchmarks import held, workload
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.recorded import new_state

BEGIN: Final = datetime(2026, 11, 24, tzinfo=UTC)
FEW: Final = 10  # channels: what more of them are compared with
SIZE: Final = 8  # entries a record
PART: Final = 250  # records


@dataclass(frozen=True, slots=True)
class Amount:
    """`calls`: begun and ended beside `channels` that live on; `saved`: channels in a big checkpoint."""

    events: int = 60_000
    channels: tuple[int, ...] = (100, 1_000, 5_000)
    calls: int = 300
    saved: int = 20_000
    rounds: int = 3


SMOKE: Final = Amount(events=2_000, channels=(100,), calls=20, saved=1_000, rounds=1)


async def figures(_world: World, amount: Amount) -> AsyncGenerator[Figure, None]:
    yield _mixed(amount)
    for figure in _curve(amount):
        yield figure
    yield _checkpoint(amount)


def _mixed(amount: Amount) -> Figure:
    """In turns, a part at a time: what slows the machine down meanwhile slows both, and little is kept."""
    values = [v for _, v in workload.records("hq", workload.entries(amount.events), SIZE)]
    state, decoding, folding = new_state(), 0.0, 0.0
    for start in range(0, len(values), PART):
        part = values[start : start + PART]
        decoding += timed(partial(_decode, part))
        folding += timed(partial(_fold, state, _decode(part)))
    events = state.cursor[1]
    return Figure(
        "fold, calls of many kinds",
        events / folding,
        events / decoding,
        "events/s",
        "msgspec decodes them",
        at_least(0.4),
    )


def _decode(values: list[bytes]) -> list[RawRecord]:
    return [decode_raw(value) for value in values]


def _fold(state: PbxState, records: list[RawRecord]) -> None:
    for record in records:
        for entry in record.entries:
            state.apply(entry, epoch=record.epoch, boot=record.boot)


def timed(work: Callable[[], object]) -> float:
    """Seconds of this process, whatever others do on the machine."""
    began = time.process_time()
    work()
    return time.process_time() - began


class Pbx:
    """One whose calls can be begun and ended one by one."""

    def __init__(self, channels: int) -> None:
        self.state, self._seq = PbxState("hq", 1, ("from-trunk",)), 0
        for call in range(channels // 2):
            self.say(held.begin(call))

    def say(self, said: Iterator[held.Said]) -> None:
        for name, fields in said:
            self._seq += 1
            at = BEGIN + timedelta(milliseconds=2 * self._seq)
            headers: dict[str, Any] = {"Event": name, **fields}
            self.state.apply(Event(seq=self._seq, at=at, received_at=at, name=name, fields=headers), epoch=1)


def _curve(amount: Amount) -> Iterator[Figure]:
    few = _an_event(FEW, amount.calls)
    for channels in amount.channels:
        yield Figure(
            f"fold, an event with {channels:,} live channels",
            _an_event(channels, amount.calls),
            few,
            "µs",
            f"with {FEW}",
            at_most(1.5),
        )


def _an_event(channels: int, calls: int) -> float:
    """Microseconds."""
    pbx, seconds = Pbx(channels), list[float]()
    for call in range(channels, channels + calls):
        began = time.process_time()
        pbx.say(held.begin(call))
        pbx.say(held.end(call))
        seconds.append((time.process_time() - began) / held.EVENTS)
    return median(seconds) * 1e6


def _checkpoint(amount: Amount) -> Figure:
    """A tenth of the channels ten times: what grows faster than the number of channels is seen."""
    big, small = Pbx(amount.saved).state, Pbx(amount.saved // 10).state
    return Figure(
        f"checkpoint of {amount.saved:,} live channels ({len(big.dump()) / 1000:,.0f} kB)",
        median(timed(big.dump) for _ in range(amount.rounds)) * 1000,
        10 * median(timed(small.dump) for _ in range(amount.rounds)) * 1000,
        "ms",
        f"ten of {amount.saved // 10:,}",
    )
