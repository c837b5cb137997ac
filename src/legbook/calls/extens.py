"""Which extension a person dialled, without what the dialplan put around it."""

import re

_ARTEFACT = frozenset({"", "s", "h", "i", "t", "T", "o", "a", "~~s~~"})
_ARTEFACT_CONTEXT = ("macro-", "sub-")
_STATUS_EXTEN = re.compile(r"s-[A-Z]+\Z")  # FreePBX and the lab jump to s-BUSY, s-NOANSWER after a Dial
_PREFIXES = ("FMPR-", "FMGL-", "LC-")


def usable(exten: str, context: str) -> str | None:
    """The extension as a person would say it, or None for an artefact of the dialplan."""
    if exten in _ARTEFACT or context.startswith(_ARTEFACT_CONTEXT) or _STATUS_EXTEN.match(exten):
        return None
    for prefix in _PREFIXES:
        exten = exten.removeprefix(prefix)
    return exten
