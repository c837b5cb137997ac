"""What the model tells at the moment of a list that a real Asterisk gave is that list, header by header."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from legbook.fakepbx.lists import Item, Lists, Live, at, items
from tests.unit.fakepbx.answered import NAMES, PATHS, Answer, major, read

# Headers that events do not tell, and why
CODECS, CONFIGURED, COUNTED = "no event names codecs", "configured", "counted since Asterisk began"
UNKNOWN = {
    "Status": {
        "Nativeformats": CODECS,
        "Readformat": CODECS,
        "Readtrans": CODECS,
        "Writeformat": CODECS,
        "Writetrans": CODECS,
        "Callgroup": CONFIGURED,
        "Pickupgroup": CONFIGURED,
    },
    "QueueParams": {
        "Max": CONFIGURED,
        "Strategy": CONFIGURED,
        "ServiceLevel": CONFIGURED,
        "Weight": CONFIGURED,
        "Holdtime": COUNTED,
        "TalkTime": COUNTED,
        "Completed": COUNTED,
        "Abandoned": COUNTED,
        "ServicelevelPerf": COUNTED,
        "ServicelevelPerf2": COUNTED,
    },
}
# A channel is some milliseconds older than its Newchannel: these may be one second less, and the times 25 ms late
SECONDS = {"Duration", "Seconds", "Wait", "ParkingDuration", "ParkingTimeout"}
LATE = 0.025
TIMES = {"CDR(start,u)", "CDR(answer,u)"}
ALL = {"CoreShowChannels", "Status", "BridgeList", "BridgeInfo", "QueueStatus", "ParkedCalls"}


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_every_recorded_list_is_what_the_events_before_it_tell(path: Path) -> None:
    frames, answers = read(path)
    live, done, compared = Live(), 0, set()
    for answer in answers:
        for moment, event in frames[done : answer.cut]:
            live.apply(event, moment)
        done = answer.cut
        if (told := _told(live, answer, major(path))) is not None:
            known = [item for item in answer.items if _could_be_known(item, live)]
            assert [_texts(item) for item in told] == [_texts(item) for item in known]
            assert list(_numbers(told)) == pytest.approx(list(_numbers(known)), abs=1)
            assert list(_times(told)) == pytest.approx(list(_times(known)), abs=LATE)
            compared.add(answer.name)
    assert compared >= ALL - {"BridgeInfo"}  # 26 and 30 of 22 asked for the parking lot's


def _told(live: Live, answer: Answer, version: int) -> list[Item] | None:
    """None: not one of these lists, or of something that cannot be known."""
    bridge = answer.complete.get("BridgeUniqueid", "")
    asked = [name for name, _ in _variables(answer.items[:1])]
    found: Iterable[Item] | None = None
    match answer.name:
        case "CoreShowChannels":
            found = items.core_show_channels(live, answer.at, version)
        case "Status" if not asked or set(asked) >= TIMES:  # 30 also asks for one channel and its variables
            found = items.status(live, answer.at, asked)
        case "BridgeList":
            found = items.bridge_list(live, version)
        case "BridgeInfo" if bridge in live.bridges.live:
            found = items.bridge_info(live, bridge)
        case "QueueStatus":
            found = items.queue_status(live, answer.at)
        case "ParkedCalls":
            found = items.parked_calls(live, answer.at)
    return None if found is None else list(found)


def _could_be_known(item: Item, live: Live) -> bool:
    """Not a queue or a member of which no event told, nor the bridge of the parking lot made before the first."""
    queue = live.queues.live.get(str(item.get("Queue")))
    match item["Event"]:
        case "QueueParams":
            return queue is not None
        case "QueueMember":
            return queue is not None and item["Location"] in queue.members
        case "BridgeListItem":
            return item["BridgeType"] != "parking" or item["BridgeUniqueid"] in live.bridges.live
    return True


def _texts(item: Item) -> list[tuple[str, str | list[str]]]:
    """All headers in their order; of those that are not compared as texts the name only."""
    other = {"Variable", *SECONDS, *UNKNOWN.get(str(item["Event"]), ())}
    headers = [(name, "" if name in other else value) for name, value in item.items() if name != "ActionID"]
    return [*headers, *((name, value) for name, value in _variables([item]) if name not in TIMES)]


def _variables(found: Iterable[Item]) -> Iterator[tuple[str, str]]:
    for item in found:
        for text in item.get("Variable", []):
            name, _, value = text.partition("=")
            yield name, value


def _numbers(found: Iterable[Item]) -> Iterator[int]:
    """`00:01:02` -> 62."""
    for item in found:
        for name in SECONDS & item.keys():
            *minutes, seconds = map(int, str(item[name]).split(":"))
            yield seconds + sum(minute * 60**power for power, minute in enumerate(reversed(minutes), 1))


def _times(found: Iterable[Item]) -> Iterator[float]:
    return (float(value) for name, value in _variables(found) if name in TIMES)


def _lists_of(name: str) -> Lists:
    """At the first list."""
    frames, answers = read(next(path for path in PATHS if name in str(path)))
    return at(frames[: answers[0].cut], now=answers[0].at)


def test_the_channels_in_26() -> None:
    """204 talks to 205 while the trunk's call rings three phones."""
    lists = _lists_of("22.10.1-pjsip/26")
    seen = [
        (c["Channel"], c["ChannelStateDesc"], c["Application"], c["ApplicationData"], c["Duration"])
        for c in lists.core_show_channels
    ]
    line = ("AppDial", "(Outgoing Line)")
    assert seen == [
        ("PJSIP/202-000000d3", "Ringing", *line, "00:00:02"),
        ("PJSIP/205-000000d0", "Up", *line, "00:00:04"),
        ("PJSIP/203-000000d4", "Ringing", *line, "00:00:02"),
        ("PJSIP/204-000000cf", "Up", "Dial", "PJSIP/205,10,tTkKxX", "00:00:04"),
        (
            "PJSIP/sipto45-000000d1",
            "Ring",
            "Dial",
            "PJSIP/201&PJSIP/202&PJSIP/203,10,tTkKxXr",
            "00:00:02",
        ),
        ("PJSIP/201-000000d2", "Ringing", *line, "00:00:02"),
    ]
    assert [len(item) for item in lists.status] == [2 + 14 + 16] * 6
    assert {item["Channel"]: item["DNID"] for item in lists.status if item["DNID"]} == {
        "PJSIP/204-000000cf": "205",
        "PJSIP/sipto45-000000d1": "30900",
    }


def test_the_bridge_and_the_queues_in_26() -> None:
    lists = _lists_of("22.10.1-pjsip/26")
    (bridge,) = lists.bridge_list
    assert (bridge["BridgeTechnology"], bridge["BridgeNumChannels"]) == ("native_rtp", "2")
    (members,) = lists.bridge_info.values()
    assert [member["Channel"] for member in members] == ["PJSIP/204-000000cf", "PJSIP/205-000000d0"]
    queues = [item["Queue"] for item in lists.queue_status if item["Event"] == "QueueParams"]
    assert queues == ["500", "501", "502"]
    assert sum(item["Event"] == "QueueMember" for item in lists.queue_status) == 9
    assert lists.parked_calls == []


def test_a_queue_and_a_parking_lot_in_40() -> None:
    lists = _lists_of("22.10.1-pjsip-timestamps/40")
    waiting = [item for item in lists.queue_status if item["Event"] == "QueueEntry"]
    assert [(item["Position"], item["CallerIDNum"], item["ConnectedLineNum"]) for item in waiting] == [
        ("1", "2002", "unknown"),
        ("2", "2003", "unknown"),
    ]
    (parked,) = lists.parked_calls
    assert (parked["ParkeeCallerIDNum"], parked["ParkingSpace"]) == ("2001", "704")
    assert int(str(parked["ParkingDuration"])) + int(str(parked["ParkingTimeout"])) == 60
    assert {item["Application"] for item in lists.status} >= {"Queue", "AppQueue", "ConfBridge"}


def test_without_a_time_of_its_own_a_cut_is_at_its_last_frame() -> None:
    frames, _ = read(next(path for path in PATHS if "22.10.1-pjsip/26" in str(path)))
    for cut in range(1, len(frames), 20):
        assert at(frames[:cut]) == at(frames[:cut], now=frames[cut - 1][0])


def test_nothing_has_happened() -> None:
    lists = at([])
    assert (lists.core_show_channels, lists.bridge_info, lists.queue_status) == ([], {}, [])
