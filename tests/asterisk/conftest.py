"""Fixtures of the laboratory: one Asterisk for the session, fresh phones for each test."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from legbook.demo.watch import Watch
from legbook.demo.world import GATEWAY_VARIABLE, INGEST_VARIABLE, World
from tests.asterisk.installation import UnavailableError, cached_asterisk
from tests.asterisk.pbx import Asterisk
from tests.asterisk.scenario import Phones, open_phones

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first fetch has its own limit: a test's timeout counts the test only."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(120, func_only=True))


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    try:
        installation = cached_asterisk()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    with Asterisk(
        installation,
        tmp_path_factory.mktemp("asterisk"),
        ingest_secret=secrets.token_hex(16),
        gateway_secret=secrets.token_hex(16),
    ) as running:
        yield running


@pytest.fixture(scope="session")
def world(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All services, with this one PBX."""
    with World(tmp_path_factory.mktemp("world")) as world:
        world.fleet({"hq": asterisk.ami_port})
        world.start(**secrets_of(asterisk))
        world.wait_ready()
        yield world


@pytest.fixture
def watch(world: World) -> Iterator[Watch]:
    watch = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
    yield watch
    watch.close()


def secrets_of(asterisk: Asterisk) -> dict[str, str]:
    """What the services find in their environment."""
    return {INGEST_VARIABLE: asterisk.ingest_secret, GATEWAY_VARIABLE: asterisk.gateway_secret}


@pytest_asyncio.fixture
async def phones(asterisk: Asterisk) -> AsyncIterator[Phones]:
    """The phones 201, 202, 203 and the trunk's far end."""
    async with open_phones(asterisk) as opened:
        yield opened
