"""docs/reference/tables.md: columns of curcdr, mycdr and its views, from their SQL and from what fills them."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from typing import Final, NamedTuple

from legbook.cli.reference.markdown import HEAD, table
from legbook.contracts.sources import SOURCES
from legbook.migrations.sqlfiles import statements

_MAKES: Final = re.compile(
    r"^(?:CREATE(?: OR REPLACE)?|ALTER) (?:TABLE|VIEW) (?:IF NOT EXISTS )?(\w+)", re.MULTILINE
)
_COLUMN: Final = re.compile(
    r"""^\s+(?:ADD\ COLUMN\ (?:IF\ NOT\ EXISTS\ )?)?
        (?P<name>\w+)\s+
        (?P<type>[A-Z]\w*(?:\(.*?\))?(?:\ UNSIGNED)?)
        (?=\ (?:NOT\ NULL|DEFAULT|CHARACTER|CODEC|COMMENT)\b)
        .*\ COMMENT\ '(?P<comment>[^']*)'""",
    re.MULTILINE | re.VERBOSE,
)


class Column(NamedTuple):
    """As the SQL says it."""

    name: str
    type: str
    comment: str


def columns(package: str) -> dict[str, list[Column]]:
    """Table or view -> its columns in order, after all .sql files of this package."""
    found: dict[str, dict[str, Column]] = {}
    for file in sorted(files(package).joinpath("sql").iterdir(), key=lambda each: each.name):
        for statement in statements(file.read_text("utf-8")):
            if made := _MAKES.search(statement):
                there = found.setdefault(made[1], {})
                there |= {each["name"]: Column(**each.groupdict()) for each in _COLUMN.finditer(statement)}
    return {name: list(each.values()) for name, each in found.items()}


def page() -> Iterator[str]:
    yield "# Tables\n"
    yield (
        "Columns of the live table in MySQL and of the archive in ClickHouse. *From the leg* names the fields of "
        "[a leg](legs.md) behind a column; *from AMI* the events and their fields, as `Event.Field`, that say the "
        f"first of them. {HEAD}"
    )
    if find_spec("curcdr_projector"):
        yield from _curcdr()
    if find_spec("cdr_archiver"):
        yield from _archive()


def _curcdr() -> Iterator[str]:
    filled = import_module("curcdr_projector.columns")
    yield "## curcdr\n"
    yield (
        "MySQL, one row a live leg; a cache that is filled again after a restart. Times are local to the PBX "
        "(`timezone` in the fleet file), `0000-00-00 00:00:00` for what has not happened. What pages write is set "
        "when the row is born and never touched again.\n"
    )
    yield from _table(columns("curcdr_projector")["curcdr"], filled.FIELDS, filled.COLUMNS)


def _archive() -> Iterator[str]:
    filled, found = import_module("cdr_archiver.columns"), columns("cdr_archiver")
    yield "## mycdr\n"
    yield (
        "ClickHouse, a row for every published state of a finished leg; the highest `ver` is the leg. Times are UTC. "
        "Read the views, always with a range of `calldate`.\n"
    )
    yield from _table(found["mycdr"], filled.FIELDS, filled.COLUMNS)
    yield "## cdr\n"
    left_out = {column.name for column in found["mycdr"]} - {column.name for column in found["cdr"]}
    yield f"View, a row a finished leg: the columns of [mycdr](#mycdr) but {_quoted(sorted(left_out))}.\n"
    yield "## calls\n"
    yield "View of [cdr](#cdr), a row a call: the legs with one final `linkedid`, but those that spy.\n"
    yield from table(
        ("column", "type", "meaning"), ((f"`{c.name}`", c.type, c.comment) for c in found["calls"])
    )


def _table(
    found: Sequence[Column], fields: Mapping[str, tuple[str, ...]], filled: Collection[str]
) -> Iterator[str]:
    """`filled`: what a leg fills; the rest is somebody else's, and its comment says whose."""
    behind = {name: fields.get(name, (name,)) for name in filled}
    yield from table(
        ("column", "type", "from the leg", "from AMI", "meaning"),
        (
            (
                f"`{column.name}`",
                column.type,
                _quoted(behind.get(column.name, ())),
                "".join(SOURCES[name] for name in behind.get(column.name, ())[:1]),
                column.comment,
            )
            for column in found
        ),
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
