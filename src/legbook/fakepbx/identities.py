"""Which texts of a recording name one call and no other, and fresh ones in their place.

Uniqueids (linkedids are uniqueids), the hex suffix of channel names, UUIDs (bridges, SIP Call-IDs of pjsip),
`[C-0000000a]` call ids, and the ActionID of an OriginateResponse. The same text is the same slot, wherever it stands
in a value.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from legbook.fakepbx.moments import SECOND

_UNIQUEID = re.compile(r"(.*?)(\d+)\.(\d+)")
_CHANNEL = re.compile(r"([A-Za-z0-9]+/.+-)([0-9a-f]{8})(;[12])?")
_UUID = re.compile(r"(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-])")
_CALLID = re.compile(r"(?<=\[C-)[0-9a-f]{8}(?=\])")

_FIRST_SUFFIX = 0x100000  # a real PBX begins at 0, and so do recordings: their names must not come out again


class Kind(StrEnum):
    UNIQUEID = "uniqueid"
    SUFFIX = "suffix"
    UUID = "uuid"
    CALLID = "callid"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class Identity:
    """One text of the recording that every round replaces."""

    kind: Kind
    text: str


class Finder:
    """Knows the names that occur in one recording, and cuts values at them: never inside a longer name."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        uniqueids: set[str] = set()
        channels: set[str] = set()
        actions: set[str] = set()
        for name, value in fields:
            if _is_uniqueid_header(name) and value not in {"", "<unknown>", "none"}:
                uniqueids.add(value)
            if name == "ActionID":
                actions.add(value)
            if match := _CHANNEL.fullmatch(value):
                channels.add(match[1] + match[2])
        self._pattern = re.compile(
            f"(?P<uniqueid>(?<![0-9A-Za-z.])(?:{_any_of(uniqueids)})(?![0-9A-Za-z])(?!\\.[0-9]))"
            f"|(?:(?<![0-9A-Za-z])(?P<suffix>{_any_of(channels)})(?![0-9A-Za-z]))"
            f"|(?P<action>(?<![0-9A-Za-z-])(?:{_any_of(actions)})(?![0-9A-Za-z-]))"
            f"|(?P<uuid>{_UUID.pattern})|(?P<callid>{_CALLID.pattern})"
        )

    def cut(self, value: str) -> list[str | Identity]:
        """Literal texts and identities in turns, as they stand in the value."""
        parts: list[str | Identity] = []
        done = 0
        for match in self._pattern.finditer(value):
            kind = Kind(str(match.lastgroup))
            start = match.end() - 8 if kind is Kind.SUFFIX else match.start()
            parts += [value[done:start], Identity(kind, value[start : match.end()])]
            done = match.end()
        return [*parts, value[done:]]


class Mint:
    """Makes fresh identities for one boot of one PBX; the counters start again with the next boot."""

    def __init__(self, name: str, boot: int) -> None:
        self._seed = f"{name}/{boot}"
        self._counters = dict.fromkeys(Kind, 0)

    def fresh(self, identity: Identity, moment: int) -> bytes:
        """For an identity that is first used at this moment."""
        number = self._counters[identity.kind]
        self._counters[identity.kind] = number + 1
        match identity.kind:
            case Kind.UNIQUEID:
                return _fresh_uniqueid(identity.text, moment // SECOND, number)
            case Kind.ACTION:
                return identity.text.encode()  # nobody asked for it
            case Kind.UUID:
                digest = hashlib.blake2b(f"{self._seed}/{number}".encode(), digest_size=16).digest()
                return str(uuid.UUID(bytes=digest, version=4)).encode()
        return b"%08x" % ((_FIRST_SUFFIX + number) & 0xFFFFFFFF)


def _fresh_uniqueid(recorded: str, epoch: int, number: int) -> bytes:
    """`pbx1-1795397779.4` keeps its systemname; a name that Originate chose (`my-id-1`) gets a number."""
    match = _UNIQUEID.fullmatch(recorded)
    return (f"{match[1]}{epoch}.{number}" if match else f"{recorded}-{epoch}-{number}").encode()


def _is_uniqueid_header(name: str) -> bool:
    name = name.lower()
    return name.endswith(("uniqueid", "linkedid")) and not name.endswith("bridgeuniqueid")


def _any_of(texts: Iterable[str]) -> str:
    """Longest first: a name that another one starts with must not win. `(?!)` never matches."""
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)) or "(?!)"
