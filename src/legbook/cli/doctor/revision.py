"""Whether a database has the schema of this legbook. Knows where `legbook migrate` writes that down."""

from collections.abc import Callable, Collection
from typing import Final

from legbook.cli.doctor.finding import Finding, fail, ok
from legbook.migrations.databases import Database
from legbook.migrations.upgrade import VERSION_TABLE, scripts_of

_APPLIED: Final = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608  # our own name


def found(database: Database, there: Collection[str], one: Callable[[str], str]) -> Finding:
    """`there`: its tables and views; `one`: gives the one value of a query."""
    return judged(database, there, one(_APPLIED) if VERSION_TABLE in there else None)


def judged(database: Database, there: Collection[str], applied: str | None) -> Finding:
    """`applied`: None if it was never migrated."""
    wanted, migrate = scripts_of(database).get_current_head(), f"legbook migrate --only {database.name}"
    if applied is None:
        return fail("has no schema of legbook", migrate)
    if applied != wanted:
        return fail(
            f"has schema {applied}, this legbook wants {wanted}",
            f"{migrate}; if that is older, update legbook",
        )
    if missing := [name for name in database.tables if name not in there]:
        return fail(
            f"{', '.join(missing)} is gone although its schema was applied",
            f"DROP TABLE {VERSION_TABLE}; then: {migrate}",
        )
    return ok(f"schema {applied}: {', '.join(database.tables)}")
