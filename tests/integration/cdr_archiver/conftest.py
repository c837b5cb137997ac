"""An archive of its own for every test: a fresh database, migrated, on one stack."""

import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from cdr_archiver.table import Table
from legbook.devstack import Stack
from legbook.migrations.databases import Clickhouse
from legbook.migrations.upgrade import upgrade
from legbook.runtime.settings import ClickhouseSettings
from tests.integration.devstack.clients import clickhouse


@pytest.fixture(scope="session")
def topics(stack: Stack) -> None:
    legbook = str(Path(sys.executable).parent / "legbook")
    command = [legbook, "topics", "apply", "--partitions", "4", "--replication", "1"]
    subprocess.run(command, env=stack.env, check=True)


def settings_of(url: str) -> ClickhouseSettings:
    return ClickhouseSettings.model_validate({"url": url})


@pytest.fixture
def url(stack: Stack) -> str:
    """Of a database that is not there yet."""
    return stack.env["CLICKHOUSE_URL"].rpartition("/")[0] + f"/test_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def archive(url: str) -> Iterator[Client]:
    """A client of the migrated database."""
    upgrade(Clickhouse(settings_of(url)), lambda _line: None)
    client = clickhouse(url)
    yield client
    client.command(f"DROP DATABASE {client.database}")
    client.close()


@pytest.fixture
async def table(archive: Client, url: str) -> AsyncIterator[Table]:
    opened = Table(settings_of(url))
    await opened.open()
    yield opened
    await opened.close()
