"""MariaDB restarted, Kafka away: screens come back, nothing is lost, no AMI link is cut."""

import time

import pytest

from legbook.demo.watch import Watch
from legbook.demo.world import GATEWAY, USERNAME, World
from tests.e2e.fleet import play
from tests.e2e.verifier import shown_live, verify, wanted_live
from tests.recorded import RECORDINGS
from tests.waiting import until


async def test_rows_are_back_within_5_s_of_mariadb(world: World, watch: Watch, ports: dict[str, int]) -> None:
    async with play("mysql", RECORDINGS, ports, rounds=40, spacing=0.3) as pbx:
        await until(lambda: shown_live(watch, "mysql").total(), lambda live: live > 10)
        world.stack.kill("mysql")
        world.stack.start_server("mysql")
        accepting = time.monotonic()
        again = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
        try:
            await until(
                lambda: (shown_live(again, "mysql"), wanted_live(pbx.truth.live(pbx.now()))),
                lambda seen: seen[0] == seen[1] and seen[0].total() > 10,
                patience=5 - (time.monotonic() - accepting),
                every=0.001,
            )
            await pbx.finished_playing()
            await until(lambda: shown_live(again, "mysql"), lambda shown: not shown, patience=5)
        finally:
            again.close()


@pytest.mark.timeout(120)
async def test_kafka_away_for_20_s_loses_nothing_and_cuts_no_link(
    world: World, watch: Watch, ports: dict[str, int]
) -> None:
    async with play("kafka", RECORDINGS, ports, rounds=60, spacing=0.4) as pbx:
        await until(lambda: shown_live(watch, "kafka").total(), lambda live: live > 5)
        world.stack.kill("kafka")
        gone = time.monotonic()
        await until(lambda: time.monotonic() - gone, lambda away: away > 20, patience=30, every=0.2)
        world.stack.start_server("kafka")
        await pbx.finished_playing()
        moment = pbx.now()
        wanted = len(pbx.truth.finished(moment))
        for name in ("curcdr_projector", "cdr_archiver"):
            if world.exit_code(name) is not None:  # a supervisor's part: exit 70 after a stalled transaction
                world.start(name)
        await until(
            lambda: watch.query("SELECT count() AS n FROM cdr WHERE pbx = 'kafka'")[0]["n"],
            lambda n: n >= wanted,
            patience=40,
        )
        await until(lambda: shown_live(watch, "kafka"), lambda shown: not shown, patience=5)

        verdict = await verify(world, watch, pbx, moment)

        assert verdict.clean, str(verdict)
        logins = sorted(login.user for login in pbx.actions.named("Login"))
        assert logins == sorted([GATEWAY.username, USERNAME]), "an AMI link was cut"
        assert world.exit_code("ami_ingest") is None
