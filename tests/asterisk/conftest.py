"""Fixtures of the laboratory: one Asterisk for the session, fresh phones for each test."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

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


@pytest_asyncio.fixture
async def phones(asterisk: Asterisk) -> AsyncIterator[Phones]:
    """The phones 201, 202, 203 and the trunk's far end."""
    async with open_phones(asterisk) as opened:
        yield opened
