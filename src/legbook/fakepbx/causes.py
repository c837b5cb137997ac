"""Hang-up causes: their texts in Asterisk (main/channel.c), what a dial makes of them, and who gets which."""

_TEXTS = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    2: "No route to specified transmit network",
    3: "No route to destination",
    5: "Misdialled trunk prefix",
    6: "Channel unacceptable",
    7: "Call awarded and being delivered in an established channel",
    8: "Pre-empted",
    14: "Number Ported Elsewhere",
    16: "Normal Clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    20: "Subscriber absent",
    21: "Call Rejected",
    22: "Number changed",
    23: "Redirected to new destination",
    26: "Answered elsewhere",
    27: "Destination out of order",
    28: "Invalid number format",
    29: "Facility rejected",
    30: "Response to STATus ENQuiry",
    31: "Normal, unspecified",
    34: "Circuit/channel congestion",
    38: "Network out of order",
    41: "Temporary failure",
    42: "Switching equipment congestion",
    43: "Access information discarded",
    44: "Requested channel not available",
    50: "Facility not subscribed",
    52: "Outgoing call barred",
    54: "Incoming call barred",
    57: "Bearer capability not authorized",
    58: "Bearer capability not available",
    65: "Bearer capability not implemented",
    66: "Channel not implemented",
    69: "Facility not implemented",
    81: "Invalid call reference value",
    88: "Incompatible destination",
    95: "Invalid message unspecified",
    96: "Mandatory information element is missing",
    97: "Message type nonexist.",
    98: "Wrong message",
    99: "Info. element nonexist or not implemented",
    100: "Invalid information element contents",
    101: "Message not compatible with call state",
    102: "Recover on timer expiry",
    103: "Mandatory IE length error",
    111: "Protocol error, unspecified",
    127: "Interworking, unspecified",
}
_CLEARING, _INTERWORKING = 16, 127
_STATUS = {17: "BUSY", 34: "CONGESTION", 3: "CHANUNAVAIL", 20: "CHANUNAVAIL"}
_BUSY, _NO_ANSWER = {"17", "21"}, {"18", "19"}
_FAILED = {"CONGESTION", "CHANUNAVAIL"}


def parse_cause(text: str) -> int | None:
    """Of a Hangup action; what is no cause counts as none, as in Asterisk: the channel is hung up all the same."""
    cause = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    return cause if 0 < cause < 128 else None


def headers(cause: int) -> dict[str, str]:
    """Of a Hangup event."""
    return {"Cause": str(cause), "Cause-txt": _TEXTS.get(cause, "Unknown")}


def dial_status(asked: int | None) -> str:
    """Of a dial whose called channel is gone with this cause (17b: NOANSWER)."""
    return _STATUS.get(asked or 0, "NOANSWER")


def of_talking(asked: int | None) -> int:
    """Both sides of a bridge get the cause, and 16 where there was none (17a; 27c without any)."""
    return asked or _CLEARING


def of_ringing(channel: str, asked: int | None) -> int:
    """A called channel that nothing but the hang-up has ended: chan_sip says 16 then (17b), pjsip 0 (07, 27c)."""
    return asked or (_CLEARING if _is_chan_sip(channel) else 0)


def of_cancelled(channel: str, callers: int) -> int:
    """A called channel whose caller went away: chan_sip says 16 (04, 07b), pjsip what the caller has (04)."""
    return _CLEARING if _is_chan_sip(channel) else callers


def of_cancelling(channel: str) -> int:
    """A caller whose phone gave up: 0 in chan_sip, on pjsip the SIP answer 487 makes it 127 (04)."""
    return 0 if _is_chan_sip(channel) else _INTERWORKING


def of_dialplan() -> int:
    """A caller whose dial came back without an answer: its dialplan hangs it up (02, 07)."""
    return _CLEARING


def disposition(*, answered: bool, cause: str, status: str) -> str:
    """What the archive must say of a leg that ended so (docs/reference/legs.md)."""
    if answered:
        return "ANSWERED"
    if status == "CANCEL":
        return "NO ANSWER"  # whatever cause the one who cancels hands on
    if cause in _BUSY or (status == "BUSY" and cause not in _NO_ANSWER):
        return "BUSY"
    return "FAILED" if status in _FAILED and cause not in _NO_ANSWER else "NO ANSWER"


def _is_chan_sip(channel: str) -> bool:
    return channel.startswith("SIP/")
