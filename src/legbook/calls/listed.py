"""What the items of Asterisk's lists say of a channel: CoreShowChannels, and if allowed Status and QueueStatus.

They never say who dials whom: `names` tells whether the data of a Dial may mean a channel.
"""

import re

from legbook.ami.message import Fields, first
from legbook.ami.names import known
from legbook.calls.state import Listed

_DURATION = re.compile(r"(\d+):(\d\d):(\d\d)\Z")
_SUFFIX = re.compile(r"-[0-9a-f]{8}(?:;[12])?\Z")
DIALS = frozenset({"Dial", "Queue", "Page", "FollowMe", "RetryDial"})
IS_DIALLED = frozenset({"AppDial", "AppQueue"})  # "(Outgoing Line)" of Dial and Queue
IS_ORIGINATED = "AppDial2"


def is_dialled(each: Listed) -> bool:
    """An outgoing line of Dial or Queue; one that was born this moment runs nothing yet (13)."""
    return each.application in IS_DIALLED or not (each.application or each.linkedid == each.uniqueid)


def of_item(fields: Fields) -> Listed:
    """A CoreShowChannel item."""
    return Listed(
        uniqueid=first(fields, "Uniqueid"),
        name=first(fields, "Channel"),
        linkedid=first(fields, "Linkedid"),
        state=first(fields, "ChannelState"),
        number=known(first(fields, "CallerIDNum")),
        caller_name=known(first(fields, "CallerIDName")),
        accountcode=first(fields, "AccountCode"),
        context=first(fields, "Context"),
        exten=first(fields, "Exten"),
        application=first(fields, "Application"),
        data=first(fields, "ApplicationData"),
        bridge=first(fields, "BridgeId"),
        age=_seconds(first(fields, "Duration")),
    )


def _seconds(duration: str) -> int:
    found = _DURATION.match(duration)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else 0


def did_of(status: Fields) -> str:
    """The number called from outside: variables that were asked for say it."""
    said = status.get("Variable", [])
    for variable in [said] if isinstance(said, str) else said:
        name, _, value = variable.partition("=")
        if name in {"DID", "FROM_DID"} and value not in {"", "(null)"}:  # a variable that is not set
            return value
    return ""


def names(dial: Listed, channel: str) -> bool:
    """May the data of this application mean this channel? `SIP/201&Local/202@x/n,10,tT`: both of them.

    A trunk stands before the number on chan_sip (`SIP/sipto45/0555`), behind it on PJSIP (`PJSIP/0555@sipto45`).
    A queue's data never names its members.
    """
    if dial.application == "Queue":
        return True
    wanted = _SUFFIX.sub("", channel).lower()
    technology, _, device = wanted.partition("/")
    for target in dial.data.partition(",")[0].lower().split("&"):
        kind, _, rest = target.partition("/")
        if kind == technology and (rest.removesuffix("/n") == device or device in re.split("[/@]", rest)):
            return True
    return False
