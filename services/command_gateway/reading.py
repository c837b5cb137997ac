"""Bytes -> a command, or why not. Pure: knows the shape of commands, not whether they may be carried out."""

from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from command_gateway.refusals import RefusedError, UnanswerableError
from legbook.contracts import codec
from legbook.contracts.codec import UNREADABLE, BadMessageError
from legbook.contracts.commands import Command, CommandId

VERBS: Final = ("hangup", "originate")
LARGEST: Final = 2_000_000  # bytes; the topic's own limit counts them compressed


class Envelope(NamedTuple):
    """What is needed to answer, whatever else is wrong: nothing of the rest, which may be huge once it is read.

    `pbx` "" if it is not even text; `verb` as far as it is text, or what it is instead.
    """

    command_id: str
    pbx: str
    digest: str
    verb: str


def open_(value: bytes | None) -> Envelope:
    """UnanswerableError: too large, not JSON, no object, or no usable command_id."""
    if value is not None and len(value) > LARGEST:
        raise UnanswerableError(f"bad_json: {len(value):,} bytes, a command has {LARGEST:,} at most")
    try:
        content = msgspec.json.decode(value or b"")
    except UNREADABLE as error:
        raise UnanswerableError(f"bad_json: {error}") from None
    if not isinstance(content, dict):
        raise UnanswerableError(f"bad_json: an object is wanted, not {type(content).__name__}")
    try:
        command_id = msgspec.convert(content.get("command_id"), CommandId)
    except msgspec.ValidationError as error:
        raise UnanswerableError(f"bad_json: command_id: {error}") from None
    pbx = content.get("pbx")
    digest = sha256(value or b"").hexdigest()
    return Envelope(command_id, pbx[:32] if isinstance(pbx, str) else "", digest, _verb(content.get("verb")))


def _verb(said: object) -> str:
    return said[:40] if isinstance(said, str) else f"({type(said).__name__})"


def read(envelope: Envelope, value: bytes | None) -> Command:
    """RefusedError names the field and where its value is."""
    if envelope.verb not in VERBS:
        raise RefusedError("unknown_verb", f"verb: {envelope.verb!r} is none of {', '.join(VERBS)}")
    try:
        return codec.decode_command(value or b"")
    except BadMessageError as error:
        raise RefusedError("bad_field", str(error).removeprefix("bad_message: ")) from None
