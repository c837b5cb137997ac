"""docs/reference/legs.md, from the struct of a leg and of what is in it, and from where AMI says each field."""

from collections.abc import Iterator

from legbook.cli.reference.markdown import HEAD, fields, kind, table
from legbook.contracts.schemas import schema
from legbook.contracts.sources import SOURCES


def page() -> Iterator[str]:
    leg = schema("Leg")
    yield "# A leg\n"
    yield (
        "A record of `pbx.calls.legs.v1` (live) and `pbx.calls.cdr.v1` (finished). Times are UTC with microseconds, "
        "null if unknown. [How to read them](../how-to/read-legs.md), [the rules](../../contracts/README.md#rules). "
        f"{HEAD}"
    )
    yield f"## {leg['title']}\n"
    yield f"{leg['description']} AMI says it by events and their fields, `Event.Field`; the time is the event's.\n"
    yield from table(
        ("field", "type", "from AMI", "meaning"),
        (
            (f"`{name}`", kind(each), SOURCES[name], each.get("description", ""))
            for name, each in leg["properties"].items()
        ),
    )
    for about in leg["$defs"].values():
        yield f"## {about['title']}\n"
        yield f"{about['description']}\n"
        yield from fields(about)
