"""Templates: the bytes of recorded events, with slots where a round puts fresh identities."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from legbook.fakepbx.identities import Finder, Identity

Fields = tuple[tuple[str, str], ...]
TIMESTAMP = 0  # the slot of the event's own time


@dataclass(frozen=True, slots=True)
class EventType:
    """`classes`: the words of its Privilege, which a session's mask must all hold."""

    name: str
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Template:
    """`pattern % pick(values)` are the bytes of this event in the round that has these values.

    `offset`: microseconds after the start of the round; `fields`: as recorded, repeated headers one by one;
    `first`: the first value of each.
    """

    offset: int
    type: EventType
    fields: Fields = field(repr=False)
    first: Mapping[str, str] = field(repr=False)
    pattern: bytes = field(repr=False)
    pick: Callable[[list[bytes]], Any] = field(repr=False)

    @property
    def name(self) -> str:
        return self.type.name

    def get(self, name: str) -> str:
        """The first value, "" without one."""
        return self.first.get(name, "")

    def at(self, offset: int) -> "Template":
        return replace(self, offset=offset)


class Press:
    """Makes the templates of one recording; `slots` are the identities it has met, in that order, from 1 on."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self._finder = Finder(fields)
        self.slots: dict[Identity, int] = {}

    def template(self, offset: int, fields: Fields) -> Template:
        """The fields start with Event; the Timestamp of the round comes where Asterisk has it."""
        kept = [(name, value) for name, value in fields if name != "Timestamp"]
        after = next((i for i, (name, _) in enumerate(kept) if name == "Privilege"), 0)
        picked: list[int] = []
        lines: list[bytes] = []
        for i, (name, value) in enumerate(kept):
            lines.append(b"%s: %s" % (_literal(name), self._slotted(value, picked)))
            if i == after:
                lines.append(b"Timestamp: %b")
                picked.append(TIMESTAMP)
        pattern = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
        kind = event_type(kept[0][1], dict(kept).get("Privilege", ""))
        return Template(offset, kind, fields, dict(reversed(fields)), pattern, itemgetter(*picked))

    def edited(self, template: Template, values: Mapping[str, str | None]) -> Template:
        """The same event with other values; None takes the header out. What has no such header gets none."""
        fields = tuple(
            (name, value) for name, old in template.fields if (value := values.get(name, old)) is not None
        )
        return template if fields == template.fields else self.template(template.offset, fields)

    def _slotted(self, value: str, picked: list[int]) -> bytes:
        line = b""
        for part in self._finder.cut(value):
            if isinstance(part, Identity):
                picked.append(self.slots.setdefault(part, len(self.slots) + 1))
                line += b"%b"
            else:
                line += _literal(part)
        return line


def event_type(name: str, privilege: str) -> EventType:
    return EventType(name, frozenset(privilege.lower().split(",")) - {"all", "", "<none>"})


def _literal(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape").replace(b"%", b"%%")
