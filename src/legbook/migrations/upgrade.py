"""Brings one database to the newest revision, or prints the SQL that would; every error is one line."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Dialect, inspect
from sqlalchemy.exc import DBAPIError

from legbook.migrations.databases import ERRORS, Database
from legbook.runtime.stop import CannotStartError

VERSION_TABLE: Final = "legbook_version"
_PREFIX: Final = re.compile(r"^Received ClickHouse exception, code: \d+, server response: ")
_NETWORK: Final = re.compile(r"\[Errno -?\d+\] [\w ]+|Read timed out|timed out")

Say = Callable[[str], None]


def upgrade(database: Database, say: Say) -> None:
    """A line for each revision, or that there was nothing to do. CannotStartError naming the setting."""
    with _explained(database):
        if not database.exists():
            database.create()
            say(f"{database}: database created")
        with database.engine().connect() as connection:
            _apply(database, connection, say)
            _check(database, connection)


def print_sql(database: Database, say: Say) -> None:
    """What `upgrade` would run now."""
    with _explained(database):
        say(f"-- {database}")
        current = None
        if database.exists():
            with database.engine().connect() as connection:
                current = _context(database, connection=connection).get_current_revision()
        else:
            say(f"{database.creation()};\n")
        if current == scripts_of(database).get_current_head():
            say(f"-- nothing to do: {current} is the newest revision\n")
            return
        for statement in filter(None, (f"USE {database.quoted}", database.session)):
            say(f"{statement};\n")
        _run(
            _context(
                database,
                dialect=database.engine().dialect,
                as_sql=True,
                starting_rev=current,
                output_buffer=sys.stdout,
            )
        )


def _apply(database: Database, connection: Connection, say: Say) -> None:
    applied = 0

    def tell(*, step: Any, **_: Any) -> None:
        nonlocal applied
        applied += 1
        say(f"{database}: {step.up_revision_id} {step.up_revision.doc}")

    context = _context(database, connection=connection, on_version_apply=(tell,))
    _run(context)
    connection.commit()
    if not applied:
        say(f"{database}: nothing to do, {context.get_current_revision()} is the newest revision")


def _check(database: Database, connection: Connection) -> None:
    there = inspect(connection)
    names = {*there.get_table_names(), *there.get_view_names()}
    if missing := [name for name in database.tables if name not in names]:
        raise CannotStartError(
            f"{database.variable}: {', '.join(missing)} is gone although its revision was applied: "
            f"DROP TABLE {VERSION_TABLE}; and run this again"
        )


def scripts_of(database: Database) -> ScriptDirectory:
    here = Path(__file__).parent
    return ScriptDirectory(str(here), version_locations=[str(here / database.name)])


def _context(
    database: Database,
    *,
    connection: Connection | None = None,
    dialect: Dialect | None = None,
    **options: Any,
) -> MigrationContext:
    scripts = scripts_of(database)

    def newest(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001  # what alembic.command.upgrade calls

    return MigrationContext.configure(
        connection=connection,
        dialect=dialect,
        opts={"script": scripts, "fn": newest, "version_table": VERSION_TABLE, **options},
    )


def _run(context: MigrationContext) -> None:
    with Operations.context(context):
        context.run_migrations()


@contextmanager
def _explained(database: Database) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, *ERRORS) as error:
        raise CannotStartError(f"{database.variable}: {database}: {reason_of(error)}") from None


def reason_of(error: BaseException) -> str:
    """One line, in the server's words."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    text = str(error.args[1]) if len(error.args) > 1 else str(error)  # pymysql: (number, text)
    if found := _NETWORK.search(text):  # clickhouse-connect wraps it in four others
        text = found[0]
    return " ".join(_PREFIX.sub("", text).split())[:500]
