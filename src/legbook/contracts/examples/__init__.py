"""One full example of every message and of every kind of entry: a call to a ring group, its transfer, a parked call.

Numbers are those of the test PBX: devices 201 to 203, trunk sipto45, DID 30900, caller 2002.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from legbook.contracts.examples.commands import COMMAND, ORIGINATE, RESULT
from legbook.contracts.examples.legs import ECHO_TEST, RETRIEVED, RINGING, TRANSFERRED, WAITING
from legbook.contracts.examples.raw import INGEST, OWNER, PROJECTOR, RECORD
from legbook.contracts.topics import CDR, COMMANDS, LEGS, OWNERS, RAW, RESULTS, STATUS

__all__ = [
    "COMMAND",
    "ECHO_TEST",
    "EXAMPLES",
    "INGEST",
    "LETTERS",
    "ORIGINATE",
    "OWNER",
    "PROJECTOR",
    "RECORD",
    "RESULT",
    "RETRIEVED",
    "RINGING",
    "TRANSFERRED",
    "WAITING",
    "Example",
]


@dataclass(frozen=True, slots=True)
class Example:
    """A message of a topic; `name` is the message's, with the kind where there are several."""

    topic: str
    name: str
    message: Struct


EXAMPLES: Final = (
    Example(RAW.name, "RawRecord", RECORD),
    Example(OWNERS.name, "Owner", OWNER),
    Example(STATUS.name, "IngestStatus", INGEST),
    Example(STATUS.name, "ProjectorStatus", PROJECTOR),
    Example(LEGS.name, "Leg.caller", WAITING),
    Example(LEGS.name, "Leg.dial", RINGING),
    Example(CDR.name, "Leg.bridge", RETRIEVED),
    Example(CDR.name, "Leg.caller", ECHO_TEST),
    Example(CDR.name, "Leg.dial", TRANSFERRED),
    Example(COMMANDS.name, "Hangup", COMMAND),
    Example(COMMANDS.name, "Originate", ORIGINATE),
    Example(RESULTS.name, "CommandResult", RESULT),
)


def _letter(topic: str, key: str, entry: str, reason: str, value: str) -> dict[str, object]:
    headers = {"topic": topic, "partition": "3", "offset": "118204", "entry": entry}
    return {"key": key, "headers": {**headers, "reason": reason, "version": "0.1.0"}, "value": value}


LETTERS: Final[Mapping[str, Mapping[str, object]]] = {
    RAW.dlq: _letter(
        RAW.name,
        "hq",
        "",
        "bad_message: Expected `int`, got `str` - at `$.epoch`",
        '{"v":1,"pbx":"hq","boot":1795397771,"epoch":"1795397755","entries":[]}',
    ),
    CDR.dlq: _letter(
        CDR.name,
        "hq|244564703510529",
        "",
        "newer_version: v is 2, this reader knows 1",
        '{"v":2,"pbx":"hq","leg_id":244564703510529}',
    ),
    COMMANDS.dlq: _letter(
        COMMANDS.name,
        "hq",
        "",
        "bad_message: JSON is malformed: invalid character (byte 0)",
        "hang up line 3",
    ),
}
"""`value`: the bytes as they came, here as text; they need not be JSON."""
