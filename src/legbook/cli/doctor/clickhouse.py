"""ClickHouse: the schema, the columns that the archiver writes, what the user may do. Writes nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from cdr_archiver import failures
from cdr_archiver.columns import NAMES
from cdr_archiver.failures import Failure
from cdr_archiver.table import COLUMN_TYPES, TABLE
from legbook.cli.doctor import revision
from legbook.cli.doctor.finding import Finding, Findings, fail, in_thread, ok, warn
from legbook.migrations.databases import Clickhouse
from legbook.migrations.upgrade import VERSION_TABLE, reason_of
from legbook.runtime.settings import ClickhouseSettings, load
from legbook.runtime.stop import CannotStartError

_MIGRATE: Final = "legbook migrate --only clickhouse"
_TABLES: Final = "SELECT name, engine FROM system.tables WHERE database = currentDatabase()"
_EVERYWHERE: Final = re.compile(r"GRANT .*\b(ALL|INSERT|DROP|SYSTEM)\b.* ON \*\.\* TO ")
_TODO: Final[Mapping[Failure | None, str]] = {
    Failure.schema: _MIGRATE,
    Failure.login: "user and password of CLICKHOUSE_URL, and from where that user may come",
}


def check() -> Findings:
    return in_thread(_check)


def _check() -> Iterator[Finding]:
    try:
        database = Clickhouse(load(ClickhouseSettings))
        with closing(_connect(database)) as client:
            yield from _examine(database, client)
    except CannotStartError as error:
        yield fail(str(error), "CLICKHOUSE_URL says where ClickHouse is and who logs in")
    except failures.ERRORS as error:
        todo = _TODO.get(failures.of(error), "CLICKHOUSE_URL says where ClickHouse is (its HTTP port, 8123)")
        yield fail(f"{database}: {reason_of(error)}", todo)


def _connect(database: Clickhouse) -> Client:
    url = database.url
    return clickhouse_connect.get_client(
        host=url.host,
        port=url.port,
        username=url.user or "default",
        password=url.password,
        database=url.database,
        connect_timeout=5,
        send_receive_timeout=10,
        query_retries=0,
        autogenerate_session_id=False,
    )


def _examine(database: Clickhouse, client: Client) -> Iterator[Finding]:
    def ask(sql: str, **parameters: str) -> Sequence[Sequence[Any]]:
        return client.query(sql, parameters=parameters).result_rows

    yield ok(f"{database}, version {client.server_version}")
    engines = {str(name): str(engine) for name, engine in ask(_TABLES)}
    yield revision.found(database, engines.keys(), lambda sql: str(ask(sql)[0][0]))
    if TABLE in engines:
        yield from table(engines[TABLE], [name for name, _ in ask(COLUMN_TYPES, table=TABLE)])
        may = {right: ask(f"CHECK GRANT {right} ON {TABLE}")[0][0] for right in ("SELECT", "INSERT")}
        yield from rights(may, [str(grant) for (grant,) in ask("SHOW GRANTS")])


def table(engine: str, columns: Iterable[str]) -> Iterator[Finding]:
    if not engine.endswith("ReplacingMergeTree"):  # Replicated and Shared ones do too
        yield fail(
            f"{TABLE} is {engine}, not ReplacingMergeTree: a corrected leg would be there twice",
            f"RENAME TABLE {TABLE} TO {TABLE}_old; DROP TABLE {VERSION_TABLE}; then: {_MIGRATE}",
        )
    if missing := sorted(set(NAMES) - set(columns)):
        yield fail(
            f"{TABLE} has no column {', '.join(missing)}", f"DROP TABLE {VERSION_TABLE}; then: {_MIGRATE}"
        )


def rights(may: Mapping[str, Any], grants: Iterable[str]) -> Iterator[Finding]:
    """`may`: right -> 1 if granted."""
    if missing := ", ".join(right for right, granted in may.items() if not int(granted)):
        yield fail(
            f"this user may not {missing} in {TABLE}", f"GRANT {missing} ON <database>.{TABLE} TO <user>"
        )
    else:
        yield ok(f"this user may read and write {TABLE}")
    if any(_EVERYWHERE.match(grant) for grant in grants):
        yield warn(
            "this user may write in every database",
            "a user with SELECT, INSERT on the one database, and for legbook migrate CREATE, DROP, ALTER",
        )
