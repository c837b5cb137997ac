"""MariaDB restarted: screens come back. Kafka and the archive away: tests/faults."""

import time

from legbook.demo.watch import Watch
from legbook.demo.world import World
from tests.e2e.fleet import play
from tests.e2e.verifier import shown_live, wanted_live
from tests.recorded import PLAYED
from tests.waiting import until


async def test_rows_are_back_within_5_s_of_mariadb(world: World, watch: Watch, ports: dict[str, int]) -> None:
    async with play("mysql", PLAYED, ports, rounds=40, spacing=0.3) as pbx:
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
