"""Asterisk restarts in mid-call: its legs end as pbx_restart, and its new calls are calls like any other."""

from datetime import timedelta

from legbook.demo.watch import Watch
from legbook.demo.world import World
from tests.e2e.fleet import play
from tests.e2e.verifier import shown_live
from tests.recorded import RING_GROUP
from tests.waiting import until


async def test_a_restart_of_the_pbx_closes_the_legs_of_the_old_boot(
    world: World, watch: Watch, ports: dict[str, int]
) -> None:
    async with play("cut", [RING_GROUP], ports, rounds=20, spacing=0.5) as pbx:
        # Uptime is whole seconds: a boot is told from the one before when they are seconds apart
        await until(lambda: pbx.now() - pbx.boot, lambda age: age > timedelta(seconds=5))
        await pbx.restart()
        cut = {leg.dstuid for leg in pbx.truth.cut(pbx.now())}
        assert len(cut) > 5

        ended = await until(
            lambda: watch.query("SELECT dstuid, end_reason, end_exact FROM cdr WHERE pbx = 'cut'"),
            lambda rows: cut <= {row["dstuid"] for row in rows},
        )
        await until(lambda: set(shown_live(watch, "cut")), lambda rows: not cut & {uid for uid, _ in rows})
        await until(
            lambda: world.metrics("ami_ingest"), lambda text: 'ami_ingest_connected{pbx="cut"} 1.0' in text
        )

    assert {
        row["dstuid"] for row in ended if (row["end_reason"], row["end_exact"]) == ("pbx_restart", False)
    } == cut
