"""Channel names: which device they belong to, which are real, and the two halves of a Local channel."""

import re

_ARTIFICIAL = re.compile(
    r"(?:Local|CBAnn|CBRec|Announcer|Recorder|Surrogate|AsyncGoto|Message)/", re.IGNORECASE
)
_SUFFIX = re.compile(r"-[0-9a-f]{8}(?:;[12])?\Z")

UNKNOWN = "<unknown>"  # Asterisk's text for a caller id that it does not have


def is_real(channel: str) -> bool:
    """Not a Local half and none of Asterisk's helpers."""
    return bool(channel) and not _ARTIFICIAL.match(channel)


def is_local(channel: str) -> bool:
    return channel[:6].lower() == "local/"


def device_of(channel: str) -> str:
    """`PJSIP/sipto45-00000002` -> `sipto45`; a name that follows no rule is kept from its first slash on."""
    return _SUFFIX.sub("", channel.partition("/")[2] or channel)


def other_half(channel: str) -> str | None:
    """`Local/202@x-0001;1` -> `Local/202@x-0001;2`, and back; None for any other channel."""
    if not is_local(channel) or channel[-2:] not in {";1", ";2"}:
        return None
    return channel[:-1] + ("2" if channel.endswith("1") else "1")


def known(text: str) -> str:
    """`<unknown>` -> ""."""
    return "" if text == UNKNOWN else text
