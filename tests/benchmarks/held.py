"""Calls that go on: 201 calls 202, who answers, and neither hangs up before being told to."""

from collections.abc import Iterator

Said = tuple[str, dict[str, str]]  # name and headers of an event
EVENTS: int = 12  # of a call, begin and end


def begin(call: int) -> Iterator[Said]:
    one, two = _ends(call)
    yield "Newchannel", {"ChannelState": "4", "Exten": "202", **one}
    yield "Newchannel", {"ChannelState": "0", **two}
    dest = {f"Dest{name}": value for name, value in two.items()}
    yield "DialBegin", {"Exten": "202", "DialString": "202", **one, **dest}
    yield "Newstate", {"ChannelState": "5", **two}
    yield "Newstate", {"ChannelState": "6", **two}
    yield "DialEnd", {"DialStatus": "ANSWER", **one, **dest}
    for end in (two, one):
        yield "BridgeEnter", {"BridgeUniqueid": f"b{call}", "BridgeType": "basic", **end}


def end(call: int) -> Iterator[Said]:
    for each in _ends(call):
        yield "BridgeLeave", {"BridgeUniqueid": f"b{call}", **each}
        yield "Hangup", {"Cause": "16", **each}


def _ends(call: int) -> tuple[dict[str, str], dict[str, str]]:
    one, two = f"1795396000.{2 * call}", f"1795396000.{2 * call + 1}"
    common = {"Context": "from-internal", "CallerIDNum": "201"}
    return (
        {"Channel": f"PJSIP/201-{2 * call:08x}", "Uniqueid": one, "Linkedid": one, **common},
        {"Channel": f"PJSIP/202-{2 * call + 1:08x}", "Uniqueid": two, "Linkedid": one, **common},
    )
