"""A curcdr of its own for every test: a fresh database, migrated."""

import uuid
from collections.abc import Iterator

import pymysql
import pytest
from pymysql.cursors import DictCursor

from legbook.devstack import Stack
from legbook.migrations.databases import Mysql
from legbook.migrations.upgrade import upgrade
from legbook.runtime.settings import MysqlSettings


@pytest.fixture
def mysql(stack: Stack) -> MysqlSettings:
    url = stack.env["MYSQL_URL"].rpartition("/")[0] + f"/test_{uuid.uuid4().hex[:8]}"
    settings = MysqlSettings.model_validate({"url": url})
    upgrade(Mysql(settings), lambda _line: None)
    return settings


@pytest.fixture
def page(mysql: MysqlSettings) -> Iterator["pymysql.Connection[DictCursor]"]:
    """What a web page would use: another session, with the server's own mode."""
    where = mysql.parsed()
    connection = pymysql.connect(
        host=where.host, port=where.port, user=where.user, password=where.password, database=where.database,
        autocommit=True, cursorclass=DictCursor, init_command="SET SESSION sql_mode=''",
    )  # fmt: skip
    yield connection
    connection.close()
