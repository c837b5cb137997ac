"""`legbook migrate`: brings MySQL and ClickHouse to the schema of this version."""

from enum import StrEnum
from typing import Annotated

import typer

from legbook.runtime.settings import ClickhouseSettings, MysqlSettings, load
from legbook.runtime.stop import CANNOT_START, CannotStartError


class Only(StrEnum):
    """One of the two."""

    mysql = "mysql"
    clickhouse = "clickhouse"


def migrate(
    only: Annotated[Only | None, typer.Option(help="One of the two databases; without it both.")] = None,
    *,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that would run; change nothing.")] = False,
) -> None:
    """Create or upgrade the tables of MYSQL_URL and CLICKHOUSE_URL; again and again does no harm."""
    failed = False
    for name in [only] if only else Only:
        try:
            _migrate(name, sql=sql)
        except CannotStartError as error:
            typer.echo(f"legbook migrate: {error}", err=True)
            failed = True
    if failed:
        raise typer.Exit(CANNOT_START)


def _migrate(name: Only, *, sql: bool) -> None:
    try:  # not at the top: other commands work without the extra
        from legbook.migrations import databases, upgrade  # noqa: PLC0415
    except ImportError as error:
        raise CannotStartError(f"{error.name} is not installed: pip install 'legbook[migrate]'") from None
    if name is Only.mysql:
        database: databases.Database = databases.Mysql(load(MysqlSettings))
    else:
        database = databases.Clickhouse(load(ClickhouseSettings))
    (upgrade.print_sql if sql else upgrade.upgrade)(database, typer.echo)
