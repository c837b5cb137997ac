"""Databases of their own that are not there yet, on one MySQL and one ClickHouse."""

import uuid
from collections.abc import Iterator, Mapping

import pymysql
import pytest
from clickhouse_connect.driver.client import Client

from legbook.devstack import Stack
from tests.integration.devstack.clients import clickhouse, mysql
from tests.integration.migrations.command import migrate


@pytest.fixture
def env(stack: Stack) -> Mapping[str, str]:
    """Where a database is missing."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    return {
        variable: stack.env[variable].rpartition("/")[0] + f"/{name}"
        for variable in ("MYSQL_URL", "CLICKHOUSE_URL")
    }


@pytest.fixture
def migrated(env: Mapping[str, str]) -> Mapping[str, str]:
    result = migrate(env)
    assert result.exit_code == 0, result.output
    return env


@pytest.fixture
def curcdr(migrated: Mapping[str, str]) -> Iterator["pymysql.cursors.DictCursor"]:
    connection = mysql(migrated["MYSQL_URL"])
    with connection, connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("SET SESSION sql_mode = 'STRICT_TRANS_TABLES'")
        yield cursor


@pytest.fixture
def mycdr(migrated: Mapping[str, str]) -> Iterator[Client]:
    client = clickhouse(migrated["CLICKHOUSE_URL"])
    yield client
    client.close()
