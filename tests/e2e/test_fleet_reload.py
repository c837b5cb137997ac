"""A PBX joins and leaves the fleet while everything runs: SIGHUP, no restart."""

import signal

from legbook.client import Client
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.devstack.processes import free_ports
from tests.e2e import topics
from tests.e2e.fleet import play
from tests.recorded import RING_GROUP
from tests.waiting import until

NAME = "later"


def reread(world: World, ports: dict[str, int]) -> None:
    """ami_ingest first: what it says last of a PBX is folded by a projector that still knows it."""
    world.fleet(ports)
    for service in ("ami_ingest", "command_gateway", "curcdr_projector"):
        world.signal(service, signal.SIGHUP)


async def test_a_pbx_joins_obeys_and_leaves(world: World, watch: Watch, ports: dict[str, int]) -> None:
    (port,) = free_ports(1)
    grown = {**ports, NAME: port}

    def rows() -> list[dict[str, object]]:
        return [row for row in watch.live() if row["pbx"] == NAME]

    async with play(NAME, [RING_GROUP], grown, rounds=300, spacing=1.0) as pbx:
        reread(world, grown)
        talking = await until(lambda: [row for row in rows() if row["disposition"] == "LINK"], len)
        async with Client(issuer="test", settings=topics.settings(world)) as client:
            result = await client.hangup(NAME, int(str(talking[-1]["id"])), side="dst", actor="alice")
        assert (result.state, result.reason) == ("done", None)
        assert len(pbx.actions.named("Hangup")) == 1

        reread(world, ports)
        await until(rows, lambda left: not left)

    removed = await until(
        lambda: watch.query("SELECT * FROM cdr WHERE pbx = {p:String} AND end_reason = 'removed'", p=NAME),
        len,
    )
    assert not any(leg["end_exact"] for leg in removed)
    assert await topics.live(world, NAME) == {}
    series = f'connected{{pbx="{NAME}"}}'  # it is not down: it is gone
    await until(lambda: series not in world.metrics("ami_ingest"))
    await until(lambda: series not in world.metrics("command_gateway"))
