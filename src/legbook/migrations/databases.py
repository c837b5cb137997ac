"""The two databases that have a schema: how to reach them, what they hold, which session their migrations need."""

import logging
from abc import ABC, abstractmethod
from typing import Final

import clickhouse_connect
import clickhouse_connect.cc_sqlalchemy.alembic  # tells Alembic about the dialect
import pymysql
from clickhouse_connect.driver.exceptions import ClickHouseError
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from legbook.runtime.settings import ClickhouseSettings, MysqlSettings


class Database(ABC):
    """`tables`: what must be there when all revisions have been applied."""

    name: str
    variable: str
    tables: tuple[str, ...]
    session: str | None = None  # a statement before anything else

    def __init__(self, settings: MysqlSettings | ClickhouseSettings) -> None:
        self.url = settings.parsed()

    @abstractmethod
    def exists(self) -> bool: ...

    @abstractmethod
    def creation(self) -> str: ...

    @abstractmethod
    def create(self) -> None: ...

    @abstractmethod
    def engine(self) -> Engine: ...

    def __str__(self) -> str:
        return f"{self.name} {self.url.host}:{self.url.port}/{self.url.database}"

    @property
    def quoted(self) -> str:
        return "`" + self.url.database.replace("`", "``") + "`"

    def _sqlalchemy_url(self, driver: str) -> URL:
        url = self.url
        return URL.create(driver, url.user or None, url.password or None, url.host, url.port, url.database)


class Mysql(Database):
    """Zero dates are astercc's; a MEMORY table keeps the size limit of the session that created it."""

    name = "mysql"
    variable = "MYSQL_URL"
    tables = ("curcdr",)
    session = (
        "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
        "max_heap_table_size = 268435456"
    )

    def exists(self) -> bool:
        with self._server() as server, server.cursor() as cursor:
            return bool(
                cursor.execute(
                    "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (self.url.database,)
                )
            )

    def creation(self) -> str:
        return f"CREATE DATABASE IF NOT EXISTS {self.quoted} CHARACTER SET utf8mb4"

    def create(self) -> None:
        with self._server() as server, server.cursor() as cursor:
            cursor.execute(self.creation())

    def engine(self) -> Engine:
        return create_engine(
            self._sqlalchemy_url("mysql+pymysql"),
            poolclass=NullPool,
            connect_args={"init_command": self.session, "connect_timeout": 10},
        )

    def _server(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        url = self.url
        return pymysql.connect(
            host=url.host, port=url.port, user=url.user, password=url.password, connect_timeout=10
        )


class Clickhouse(Database):
    """The client logs what it also raises: not here."""

    name = "clickhouse"
    variable = "CLICKHOUSE_URL"
    tables = ("mycdr", "cdr", "calls")

    def exists(self) -> bool:
        logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
        return bool(
            self._command(
                "SELECT count() FROM system.databases WHERE name = {name:String}", name=self.url.database
            )
        )

    def creation(self) -> str:
        return f"CREATE DATABASE IF NOT EXISTS {self.quoted} ENGINE = Atomic"

    def create(self) -> None:
        self._command(self.creation())

    def engine(self) -> Engine:
        return create_engine(self._sqlalchemy_url("clickhousedb+connect"), poolclass=NullPool)

    def _command(self, sql: str, **parameters: str) -> object:
        url = self.url
        client = clickhouse_connect.get_client(
            host=url.host,
            port=url.port,
            username=url.user or "default",
            password=url.password,
            connect_timeout=10,
            autogenerate_session_id=False,
        )
        try:
            return client.command(sql, parameters=parameters)
        finally:
            client.close()


ERRORS: Final = (pymysql.err.MySQLError, ClickHouseError)
