import asyncio
import time as real_time

import pytest

from legbook.fakepbx import FakePbx
from tests.scenarios.fakepbx.client import Client
from tests.scenarios.fakepbx.conftest import Start
from tests.unit.fakepbx.handtime import HandTime
from tests.unit.fakepbx.samples import RECORDINGS

MEGABYTES = b"Event: Big\r\nText: " + b"x" * 1_000_000 + b"\r\n\r\n"


async def cut(pbx: FakePbx) -> float:
    """Seconds until a reader is cut."""
    began = real_time.monotonic()
    while not pbx.cut_readers:
        await asyncio.sleep(0.01)
    return real_time.monotonic() - began


async def test_a_reader_that_stands_still_is_cut_without_a_word_and_nobody_else_waits(
    start: Start, time: HandTime
) -> None:
    pbx: FakePbx = await start(RECORDINGS, rounds=1000, spacing=0.03, speed=10.0)
    async with Client(pbx.port) as reader, Client(pbx.port) as stuck:
        await reader.login("cdr")
        await stuck.login()
        pbx.begin()
        for _ in range(60):
            await time.advance(0.1)
            await reader.ask("Ping")
        await cut(pbx)
        heard = await stuck.rest()
        await time.advance(60)
        await pbx.finished_playing()
        await reader.ask("Ping")
    assert (pbx.cut_readers, pbx.cut_sessions) == (1, (2,))
    everything = sum(len(item.recording.templates) for item in pbx.rounds)
    assert len(heard) < everything
    assert [message.first("Event") for message in reader.events].count("Cdr") == sum(
        event.name == "Cdr" for item in pbx.rounds for event in item.recording.events
    )


@pytest.mark.parametrize("patience", [0.1, 0.4])
async def test_it_is_cut_when_the_time_is_over(start: Start, patience: float) -> None:
    pbx: FakePbx = await start(write_timeout=patience)
    async with Client(pbx.port) as stuck:
        await stuck.login("off")
        for _ in range(12):
            pbx.inject(MEGABYTES)
        seconds = await cut(pbx)
        assert patience - 0.05 < seconds < patience + 0.5
        assert len(await stuck.rest()) < 12


async def test_a_reader_that_is_slow_but_reads_is_not_cut(start: Start) -> None:
    """Each time that its turn comes it takes all there is; in between more is written than the kernel holds."""
    pbx: FakePbx = await start(write_timeout=0.3)
    async with Client(pbx.port) as slow:
        await slow.login("off")
        for _ in range(8):
            for _ in range(6):
                pbx.inject(MEGABYTES)
            await asyncio.sleep(0.1)
            for _ in range(6):
                await slow.hear()
    assert pbx.cut_readers == 0


async def test_a_reader_that_stands_still_half_way_is_cut_too(start: Start) -> None:
    pbx: FakePbx = await start(write_timeout=0.2)
    async with Client(pbx.port) as stuck:
        await stuck.login("off")
        for _ in range(16):
            pbx.inject(MEGABYTES)
        for _ in range(6):
            await stuck.hear()
        assert pbx.cut_readers == 0
        assert await cut(pbx) < 1.0


async def test_what_the_kernel_takes_is_never_late(start: Start) -> None:
    pbx: FakePbx = await start(write_timeout=0.01)
    async with Client(pbx.port) as stopped:
        await stopped.login("off")
        pbx.inject(MEGABYTES)
        await asyncio.sleep(0.2)
        await stopped.hear()
    assert pbx.cut_readers == 0


async def test_flat_out_the_player_waits_for_its_readers(start: Start) -> None:
    pbx: FakePbx = await start(RECORDINGS, rounds=600, spacing=0.03, speed="flat", write_timeout=0.01)
    async with Client(pbx.port) as stuck:
        await stuck.login()
        pbx.begin()
        ended = asyncio.create_task(pbx.finished_playing())
        await asyncio.sleep(1.5)
        assert not ended.done()
        reading = asyncio.create_task(stuck.rest())
        await ended
        await pbx.stop()
        heard = await reading
    assert len(heard) == 1 + sum(len(item.recording.templates) for item in pbx.rounds)
    assert pbx.cut_readers == 0
