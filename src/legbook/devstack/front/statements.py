"""What a statement's text says before the engine parses it: kind, format, where inline data begins."""

import re
from dataclasses import dataclass

READS = frozenset({"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"})
ANSWERS = READS | {"CHECK", "KILL"}  # the kinds that answer with rows
STREAMED_KINDS = frozenset({"SELECT", "WITH"})  # chDB streams nothing else
# No head and no foot, so that the chunks of a stream concatenate.
STREAMED_FORMATS = frozenset({"native", "tabseparated", "tsv", "csv", "rowbinary", "jsoneachrow"})

NOISE = rb"(?:\s+|--[^\n]*(?:\n|\Z)|#[ !][^\n]*(?:\n|\Z)|/\*.*?\*/)*"
NAME = rb"(?:`(?:[^`\\]|\\.)+`|\"(?:[^\"\\]|\\.)+\"|\w+)"
COLUMNS = rb"(?:\((?:[^()'`\"]|" + NAME + rb")*\))?"
SETTINGS = rb"(?:\s*SETTINGS\s+(?:[^'`\"]|'(?:[^'\\]|\\.)*')*?)?"
KIND = re.compile(NOISE + rb"[\s(]*([A-Za-z]+)", re.DOTALL)
FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*(?:SETTINGS\b[^;]*)?;?\s*\Z", re.IGNORECASE)
INSERT = re.compile(
    NOISE
    + rb"(INSERT\s+INTO\s+(?:TABLE\s+)?"
    + NAME
    + rb"(?:\."
    + NAME
    + rb")?\s*"
    + COLUMNS
    + SETTINGS
    + rb")\s*\bFORMAT\s+(?!Values\b)(\w+)[ \t]*;?(?:\r?\n|\Z|[ \t]*)",
    re.IGNORECASE | re.DOTALL,
)
TAIL = 2000  # bytes in which a FORMAT at the end is looked for


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT ... FORMAT f: the statement without its format, and the data after it in the same text."""

    statement: str
    format: str
    inline: memoryview


def kind_of(sql: bytes) -> str:
    found = KIND.match(sql)
    return found[1].decode().upper() if found else ""


def format_of(sql: bytes) -> str | None:
    found = FORMAT.search(sql[-TAIL:])
    return found[1].decode() if found else None


def insert_of(sql: bytes) -> Insert | None:
    """None for VALUES and INSERT ... SELECT: those the engine parses itself."""
    found = INSERT.match(sql)
    return Insert(found[1].decode(), found[2].decode(), memoryview(sql)[found.end() :]) if found else None


def quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
