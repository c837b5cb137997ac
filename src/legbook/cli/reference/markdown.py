"""What every reference page is made of: its head line, tables, a JSON Schema in words. Knows Markdown, no page."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

HEAD: Final = "Written by `make contracts` from the code; not edited by hand.\n"
_TYPES: Final = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}
_TAG: Final = re.compile(r"(`[^`]*`)|<(?=[a-z/])")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """With an empty line behind it."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"
    yield ""


def _cell(text: str) -> str:
    """A bar would end it, also between backticks; outside of them `<unknown>` would be HTML."""
    return _TAG.sub(lambda found: found[1] or r"\<", text).replace("|", r"\|")


def anchor(heading: str) -> str:
    """As GitHub makes it from a heading."""
    kept = (c for c in heading.lower() if c.isalnum() or c in " -_")
    return "#" + "".join(kept).replace(" ", "-")


def fields(about: dict[str, Any]) -> Iterator[str]:
    """The fields of a JSON Schema object, as a table."""
    yield from table(
        ("field", "type", "meaning"),
        ((f"`{name}`", kind(each), _meaning(each)) for name, each in about["properties"].items()),
    )


def _meaning(about: dict[str, Any]) -> str:
    if "$ref" in about:
        return "See there."
    return str(about.get("description", "Which kind it is." if "const" in about else ""))


def kind(about: dict[str, Any]) -> str:
    """A JSON Schema in a few words; what it refers to has a heading of its name."""
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        return f"[{name}]({anchor(name)})"
    if "anyOf" in about:
        return " or ".join(map(kind, about["anyOf"]))
    if "const" in about:
        return f"`{about['const']}`"
    if "enum" in about:
        return ", ".join("null" if value is None else f"`{value}`" for value in about["enum"])
    if about["type"] == "array":
        return f"list of {kind(about['items'])}"
    kinds = about["type"] if isinstance(about["type"], list) else [about["type"]]
    return " or ".join("time" if each == "string" and "format" in about else _TYPES[each] for each in kinds)
