"""One frame -> header fields and flags. Keeps what Asterisk sent, and says where it was odd."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from legbook.ami.framing import Frame

Fields = Mapping[str, str | list[str]]

# Asterisk itself repeats these (one line a variable, one a line of CLI output); any other repeated name is
# odd, e.g. TestEvent's two `State` headers, or a header forged through a value with a line break.
REPEATABLE = frozenset({"ChanVariable", "DestChanVariable", "Variable", "Output"})


@dataclass(frozen=True, slots=True)
class Message:
    """`fields`: names as sent, in order; a repeated name is a list; lines without a colon are under "".

    `flags`: dup_header, bad_utf8 (`raw_b64` has the bytes), long (cut at the cap), no_space, nul.
    """

    fields: dict[str, str | list[str]]
    flags: tuple[str, ...] = ()
    raw_b64: str | None = None

    def first(self, name: str) -> str:
        """The value of a header, the first one of a repeated header, "" without it."""
        return first(self.fields, name)


def first(fields: Fields, name: str) -> str:
    """The first wins: what follows a forged line break comes after what Asterisk wrote itself."""
    value = fields.get(name, "")
    return value if isinstance(value, str) else value[0]


def parse(frame: Frame) -> Message:
    """Never raises: whatever came is kept and flagged."""
    flags: list[str] = []
    raw_b64 = None
    try:
        text = frame.data.decode()
    except UnicodeDecodeError:
        text = frame.data.decode(errors="replace")
        flags.append("bad_utf8")
        raw_b64 = base64.b64encode(frame.data).decode()
    if frame.dropped:
        flags.append("long")
    if "\0" in text:
        flags.append("nul")
    return Message(_fields(text, flags), tuple(flags), raw_b64)


def _fields(text: str, flags: list[str]) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {}
    for line in text.split("\r\n"):
        name, colon, value = line.partition(": ")  # nearly all lines
        if colon and name not in fields and ":" not in name:
            fields[name] = value
            continue
        name, colon, value = line.partition(":")
        if not colon:
            name, value = "", line
        elif value.startswith(" "):
            value = value[1:]
        elif value and "no_space" not in flags:
            flags.append("no_space")
        known = fields.get(name)
        if known is None:
            fields[name] = value
            continue
        if isinstance(known, list):
            known.append(value)
        else:
            fields[name] = [known, value]
        if name not in REPEATABLE and "dup_header" not in flags:
            flags.append("dup_header")
    return fields
