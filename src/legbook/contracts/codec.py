"""Messages <-> bytes. Says why bytes are not a message; never guesses."""

from typing import Any, Final, TypeVar

import msgspec

from legbook.contracts.commands import Command, CommandResult
from legbook.contracts.legs import Leg
from legbook.contracts.raw import RawRecord
from legbook.contracts.status import Owner, Status

encode: Final = msgspec.json.Encoder().encode
_T = TypeVar("_T")


# RecursionError: msgspec's answer to a thousand brackets
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadMessageError(ValueError):
    """Bytes that are no message of this version: for the DLQ, with the reason."""


class _Version(msgspec.Struct):
    v: int


_RAW: Final = msgspec.json.Decoder(RawRecord)
_LEG: Final = msgspec.json.Decoder(Leg)
_OWNER: Final = msgspec.json.Decoder(Owner)
_STATUS: Final[msgspec.json.Decoder[Status]] = msgspec.json.Decoder(Status)
_COMMAND: Final[msgspec.json.Decoder[Command]] = msgspec.json.Decoder(Command)
_RESULT: Final = msgspec.json.Decoder(CommandResult)
_VERSION: Final = msgspec.json.Decoder(_Version)


def decode_raw(data: bytes) -> RawRecord:
    return _decode(_RAW, data)


def decode_leg(data: bytes) -> Leg:
    return _decode(_LEG, data)


def decode_owner(data: bytes) -> Owner:
    return _decode(_OWNER, data)


def decode_status(data: bytes) -> Status:
    return _decode(_STATUS, data)


def decode_command(data: bytes) -> Command:
    return _decode(_COMMAND, data)


def decode_result(data: bytes) -> CommandResult:
    return _decode(_RESULT, data)


def _decode(decoder: "msgspec.json.Decoder[_T]", data: bytes) -> _T:
    try:
        return decoder.decode(data)
    except UNREADABLE as error:
        raise BadMessageError(_reason(data, error)) from error


def _reason(data: bytes, error: Exception) -> str:
    try:
        version: Any = _VERSION.decode(data).v
    except UNREADABLE:
        return f"bad_message: {error}"
    return f"newer_version: v is {version}, this reader knows 1" if version > 1 else f"bad_message: {error}"


def decode_as(data: bytes, kind: type[_T]) -> _T:
    """For what is private to one service. BadMessageError."""
    return _decode(msgspec.json.Decoder(kind), data)
