"""One world for all end-to-end tests: real servers, our three services as their real commands, one fleet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.devstack.processes import free_ports
from tests.e2e.fleet import PBXS

# PBXs come and go: nobody waits half a minute for one that is back, nor long for one that says nothing
QUICK = {
    "AMI_INGEST_BACKOFF_FIRST": "0.1",
    "AMI_INGEST_BACKOFF_MOST": "0.3",
    "COMMAND_GATEWAY_BACKOFF_FIRST": "0.1",
    "COMMAND_GATEWAY_BACKOFF_MOST": "0.3",
    "COMMAND_GATEWAY_CONFIRM": "1.5",
}


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    return dict(zip(PBXS, free_ports(len(PBXS)), strict=True))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with World(folder) as world:
        world.fleet(ports)
        world.start(**QUICK)
        yield world


@pytest.fixture
def world(running: World) -> World:
    """Whoever killed a service last did not start it again: do it now. Ingest is ready when its PBXs are up."""
    for name in ("curcdr_projector", "cdr_archiver", "command_gateway"):
        if running.exit_code(name) is not None:
            running.start(name, **QUICK)
    running.wait_ready("curcdr_projector", "cdr_archiver", "command_gateway")
    return running


@pytest.fixture
def watch(world: World) -> Iterator[Watch]:
    watch = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
    yield watch
    watch.close()
