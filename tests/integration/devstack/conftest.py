"""One stack for all tests of this folder, and one table in its ClickHouse."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from legbook.devstack import Stack
from tests.integration.devstack.clients import clickhouse

TABLE = "CREATE TABLE t (a UInt32, b String, c DateTime64(3, 'UTC')) ENGINE=MergeTree ORDER BY a"
VARIABLES = ("KAFKA_BOOTSTRAP_SERVERS", "MYSQL_URL", "CLICKHOUSE_URL")


@pytest.fixture(scope="session", autouse=True)
def no_servers_of_others() -> Iterator[None]:
    """These tests are about the servers that the stack starts."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in VARIABLES:
            patch.delenv(variable, raising=False)
        yield


@pytest.fixture(scope="session")
def devstack_stack(
    no_servers_of_others: None, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def show(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", end="")  # noqa: T201  # how long it took is worth a look

    with Stack(tmp_path_factory.mktemp("devstack"), progress=show) as stack:
        yield stack


@pytest.fixture(scope="session")
def ch_url(devstack_stack: Stack) -> str:
    return devstack_stack.env["CLICKHOUSE_URL"]


@pytest.fixture(scope="session")
def ch(ch_url: str) -> Iterator[Client]:
    client = clickhouse(ch_url)
    client.command(TABLE)
    yield client
    client.close()


@pytest.fixture
def t(ch: Client) -> Client:
    """The client, with an empty table t."""
    ch.command("TRUNCATE TABLE t")
    return ch
