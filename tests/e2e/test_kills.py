"""kill -9 of projector and archiver under load: nothing lost, nothing doubled, no row stuck."""

import asyncio
import random

import pytest

from legbook.demo.watch import Watch
from legbook.demo.world import World
from tests.e2e.fleet import play
from tests.e2e.verifier import shown_live, verify, wanted_live
from tests.recorded import RECORDINGS
from tests.waiting import until

ROUNDS = 700
SPACING = 0.04  # seconds: recordings of 4 to 13 s then overlap two-hundredfold


@pytest.mark.timeout(180)
async def test_kill_9_of_projector_and_archiver_under_200_overlapping_calls(
    world: World, watch: Watch, ports: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(4)  # noqa: S311  # which moments, not a secret
    async with play("load", RECORDINGS, ports, rounds=ROUNDS, spacing=SPACING) as pbx:
        await until(lambda: len(pbx.truth.live(pbx.now())), lambda live: live > 150, patience=30)
        for victim in ["curcdr_projector", "cdr_archiver"] * 3 + ["curcdr_projector"]:
            world.kill(victim)
            await asyncio.sleep(dice.uniform(0.0, 1.0))  # how long it stays away
            world.start(victim)
            await asyncio.to_thread(world.wait_ready, victim)
            await asyncio.sleep(dice.uniform(0.2, 1.5))  # how long it lives
        assert len(pbx.truth.live(pbx.now())) > 150, "the kills outlasted the load"
        await pbx.stop()  # in mid-call: hundreds of legs are alive, and nobody tells of their end
        moment = pbx.now()
        alive = wanted_live(pbx.truth.live(moment))
        await until(lambda: shown_live(watch, "load"), lambda shown: shown == alive, patience=5)
        await until(
            lambda: watch.query("SELECT count() AS n FROM cdr WHERE pbx = 'load'")[0]["n"],
            lambda n: n == len(pbx.truth.finished(moment)),
            patience=5,
        )

        verdict = await verify(world, watch, pbx, moment)

    with capsys.disabled():
        print(f"\n{verdict} live={alive.total()}")  # noqa: T201
    assert verdict.clean, str(verdict)
    assert alive.total() > 100
    assert verdict.finished > 300


async def test_sigterm_is_clean(world: World) -> None:
    for name in ("curcdr_projector", "cdr_archiver"):
        code = await asyncio.to_thread(world.terminate, name)

        assert code == 0, world.log(name)[-2000:]
