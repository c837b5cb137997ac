"""What no recording of the repository shows, by hand."""

from legbook.fakepbx.lists import Item, Live, items, variables
from legbook.fakepbx.moments import SECOND

Headers = dict[str, str]
BRIDGE = {"BridgeUniqueid": "b", "BridgeType": "basic", "BridgeTechnology": "simple_bridge"}


def happen(live: Live, name: str, headers: Headers, moment: float = 0) -> None:
    live.apply({"Event": name, **headers}, round(moment * SECOND))


def channel(number: int, name: str, side: str = "") -> Headers:
    """Up."""
    return {f"{side}Uniqueid": f"1.{number}", f"{side}Channel": name, f"{side}ChannelState": "6"}


def talking(*names: str) -> Live:
    live = Live()
    for number, name in enumerate(names):
        happen(live, "Newchannel", channel(number, name))
        happen(live, "BridgeEnter", BRIDGE | channel(number, name))
    return live


def technology(live: Live) -> str | list[str]:
    (bridge,) = items.bridge_list(live, 22)
    return bridge["BridgeTechnology"]


def test_two_phones_talk_directly_unless_somebody_listens() -> None:
    """16a, 23."""
    one, two, spy = "SIP/1-0000000a", "PJSIP/2-0000000b", channel(9, "SIP/9-0000000f", "Spyer")
    live = talking(one, two)
    assert technology(live) == "native_rtp"
    happen(live, "MixMonitorStart", channel(0, one))
    happen(live, "ChanSpyStart", spy | channel(0, one, "Spyee"))
    assert technology(live) == "simple_bridge"
    happen(live, "MixMonitorStop", channel(0, one))
    assert technology(live) == "simple_bridge"
    happen(live, "ChanSpyStop", spy | channel(0, one, "Spyee"))
    assert technology(live) == "native_rtp"
    happen(live, "BridgeLeave", BRIDGE | channel(1, two))
    assert technology(live) == "simple_bridge"
    assert technology(talking("SIP/1-0000000a", "Local/2@x-0000000b;1")) == "simple_bridge"


def test_a_spy_is_told_by_its_start() -> None:
    """16a."""
    name = "SIP/3-0000000c"
    live = talking(name)
    line = {"Application": "AppDial2", "AppData": "(Outgoing Line)"}
    happen(live, "Newexten", channel(0, name) | line)
    happen(live, "ChanSpyStart", channel(0, name, "Spyer") | channel(9, "SIP/9-0000000f", "Spyee"))
    (spy,) = items.status(live, 0)
    assert (spy["Application"], spy["Data"]) == ("ChanSpy", "")


def test_another_one_in_the_same_parking_space() -> None:
    live = talking("SIP/1-0000000a", "SIP/2-0000000b")
    space = {"Parkinglot": "default", "ParkingSpace": "701", "ParkerDialString": "SIP/3"}
    first = {"ParkeeUniqueid": "1.0", "ParkingTimeout": "45", "ParkingDuration": "0"}
    second = {"ParkeeUniqueid": "1.1", "ParkingTimeout": "40", "ParkingDuration": "5"}
    happen(live, "ParkedCall", space | first, 10.9)
    happen(live, "ParkedCallSwap", space | second, 15.1)
    (parked,) = items.parked_calls(live, 20 * SECOND)
    shown = [parked[name] for name in ("ParkeeChannel", "ParkingTimeout", "ParkingDuration")]
    assert shown == ["SIP/2-0000000b", "35", "10"]
    happen(live, "UnParkedCall", space | second, 21)
    assert list(items.parked_calls(live, 22 * SECOND)) == []


def test_members_come_go_and_are_in_calls() -> None:
    """14c, 12."""
    live = Live()
    member = {"Queue": "500", "Interface": "SIP/1", "MemberName": "Agent 1", "InCall": "0"}
    happen(live, "QueueMemberAdded", member)
    happen(live, "AgentConnect", member)
    assert [item.get("InCall") for item in items.queue_status(live, 0)] == [None, "1"]
    happen(live, "AgentComplete", member)
    assert [item.get("InCall") for item in items.queue_status(live, 0)] == [None, "0"]
    happen(live, "QueueMemberRemoved", member)
    assert [item["Event"] for item in items.queue_status(live, 0)] == ["QueueParams"]


def test_variables_that_status_is_asked_for() -> None:
    live = talking("SIP/1-0000000a")
    happen(live, "VarSet", {"Uniqueid": "1.0", "Variable": "__FROM_DID", "Value": "30900"})
    assert variables.names("CDR(start,u),FROM_DID,,X") == ["CDR(start,u)", "FROM_DID", "X"]
    asked = ["CDR(start,u)", "CDR(answer,u)", "FROM_DID", "X", "CDR(src)"]
    (shown,) = items.status(live, 0, asked)
    times = ["CDR(start,u)=0.000000", "CDR(answer,u)=0.000000"]
    assert shown["Variable"] == [*times, "FROM_DID=30900", "X=(null)", "CDR(src)="]


def test_times_of_a_record_are_not_those_of_a_call() -> None:
    """06: the caller's newest record is of the phone that was rung last, and that one never answered."""
    live = talking()
    caller, first, last = (channel(n, f"SIP/{n}-0000000{n}") for n in range(3))
    down = {"ChannelState": "0"}
    for moment, who in enumerate([caller, first, last], 1):
        happen(live, "Newchannel", who | down, moment)
    for moment, who in enumerate([first, last], 4):
        dest = {f"Dest{name}": value for name, value in who.items()}
        happen(live, "DialBegin", caller | down | dest | {"DestChannelState": "5"}, moment)
    happen(live, "Newstate", first, 6)
    for status, who in (("CANCEL", last), ("ANSWER", first)):
        dest = {f"Dest{name}": value for name, value in who.items()}
        happen(live, "DialEnd", caller | down | dest | {"DialStatus": status}, 6)
    happen(live, "Newstate", caller, 7)
    shown: list[Item] = list(items.status(live, 8 * SECOND, ["CDR(start,u)", "CDR(answer,u)"]))
    times = {str(item["Uniqueid"]): item["Variable"] for item in shown}
    assert times["1.0"] == ["CDR(start,u)=5.000000", "CDR(answer,u)=0.000000"]
    assert times["1.1"] == ["CDR(start,u)=2.000000", "CDR(answer,u)=6.000000"]
