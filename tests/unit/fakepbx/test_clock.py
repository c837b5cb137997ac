import asyncio
from datetime import UTC, datetime

import pytest

from legbook.fakepbx.clock import Clock
from legbook.fakepbx.moments import from_datetime, from_seconds, to_ami, to_datetime
from tests.unit.fakepbx.handtime import HandTime
from tests.unit.fakepbx.samples import BEGIN


@pytest.mark.parametrize("speed", [1.0, 0.5, 50.0])
async def test_it_runs_as_many_times_faster(speed: float) -> None:
    time = HandTime()
    clock = Clock(BEGIN, speed=speed, source=time)
    await time.advance(4.0)
    assert clock.now() == BEGIN + round(4_000_000 * speed)
    assert clock.uptime() == 4 * speed


async def test_reaching_a_moment_takes_its_share_of_real_time() -> None:
    time = HandTime()
    clock = Clock(BEGIN, speed=10.0, source=time)
    reached = asyncio.create_task(clock.reach(BEGIN + 30_000_000))
    await time.advance(2.999)
    assert not reached.done()
    await time.advance(0.002)
    assert reached.done()
    assert time.slept[0] == pytest.approx(3.0)


async def test_flat_out_it_jumps_and_never_back() -> None:
    time = HandTime()
    clock = Clock(BEGIN, speed="flat", source=time)
    await clock.reach(BEGIN + 60_000_000)
    await clock.reach(BEGIN + 10_000_000)
    assert (clock.now(), clock.uptime(), time.slept) == (BEGIN + 60_000_000, 60, [])
    await time.advance(5.0)
    assert clock.uptime() == 65


def test_a_reboot_is_on_a_later_whole_second() -> None:
    clock = Clock(BEGIN + 123, source=HandTime())
    clock.reboot()
    assert (clock.boot, clock.now(), clock.uptime()) == (BEGIN + 2_000_000, BEGIN + 2_000_000, 0)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_goes_nowhere_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(BEGIN, speed=speed)


def test_moments_are_exact() -> None:
    assert to_datetime(BEGIN + 1) == datetime(2027, 1, 15, 8, 0, 0, 1, tzinfo=UTC)
    assert from_datetime(to_datetime(BEGIN + 999_999)) == BEGIN + 999_999
    assert from_seconds(to_ami(BEGIN + 7).decode()) == BEGIN + 7
    with pytest.raises(ValueError, match="no time zone"):
        from_datetime(datetime(2027, 1, 15))  # noqa: DTZ001
