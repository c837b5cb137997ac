"""Events that no Asterisk sends in this order, each well-formed: what is live belongs to a channel that is alive."""

from datetime import UTC, datetime, timedelta
from random import Random

from msgspec.structs import replace

from legbook.calls import PbxState
from legbook.calls.rules import EVENTS
from legbook.contracts.raw import Entry, Event, Gap, Heartbeat, SnapshotBegin, SnapshotChannel, SnapshotEnd
from tests.properties.cuts import EVERYWHERE
from tests.recorded import new_state

BEGIN = datetime(2026, 11, 24, tzinfo=UTC)
TRIES = 4000 if EVERYWHERE else 300
LENGTH = 150
NAMES = [
    *["SIP/201-00000001", "SIP/202-00000002", "SIP/203-00000003", "SIP/204-00000004"],
    *["Local/1@x-00000001;1", "Local/1@x-00000001;2", "Local/2@x-00000002;1", "Local/2@x-00000002;2"],
]
UIDS = [f"1.{number}" for number in range(len(NAMES))]
OFTEN = {"BridgeEnter": 9, "DialBegin": 5, "Newchannel": 7, "Newstate": 4, "BridgeLeave": 3, "Hangup": 3}
KINDS = [name for name in EVENTS for _ in range(OFTEN.get(name, 1))]
ABOUT = ("Target", "Parkee", "Retriever", "Transferee", "Transferer", "Spyer", "Spyee")
APPLICATIONS = ("Dial", "AppDial", "AppDial2", "Queue", "")

Fields = dict[str, str | list[str]]


def _channel(random: Random, side: str = "") -> Fields:
    """One of a few, now and then under the name of another one."""
    number = random.randrange(len(NAMES))
    name = NAMES[number] if random.random() < 0.95 else random.choice(NAMES)
    return {
        f"{side}Channel": name,
        f"{side}Uniqueid": UIDS[number],
        f"{side}Linkedid": random.choice(UIDS),
    }


def _event(random: Random, at: datetime) -> Event:
    name = random.choice(KINDS)
    fields = _channel(random) | _channel(random, "LocalOne") | _channel(random, "LocalTwo")
    fields |= {f"{who}Uniqueid": random.choice(UIDS) for who in ABOUT}
    fields |= {
        "Newname": random.choice(NAMES),
        "Variable": random.choice(["DID", "DIALSTATUS", "QUEUESTATUS"]),
    }
    fields |= {"ChannelState": random.choice("04566"), "Exten": random.choice(["202", "s"]), "Context": "x"}
    fields |= {
        "BridgeUniqueid": random.choice("abc"),
        "Queue": random.choice("pq"),
        "Value": "1",
        "Cause": "16",
    }
    fields |= {"DialStatus": random.choice(["ANSWER", "BUSY", ""]), "Forward": random.choice(["", "203@x"])}
    if name in {"DialBegin", "DialEnd", "AgentConnect", "AgentRingNoAnswer"}:
        fields |= _channel(random, "Dest")
    if random.random() < 0.2:
        fields |= {
            "BridgeType": random.choice(["basic", "base", "holding"]),
            "SwapUniqueid": random.choice(UIDS),
        }
    if name == "DialBegin" and random.random() < 0.2:
        del fields["Uniqueid"]
    return Event(seq=1, at=at, received_at=at, name=name, fields=fields)


def _item(random: Random) -> Fields:
    return {
        **_channel(random),
        "ChannelState": random.choice("456"),
        "Application": random.choice(APPLICATIONS),
        "ApplicationData": "SIP/202&SIP/203",
        "BridgeId": random.choice(["a", "b", ""]),
        "Duration": f"00:00:0{random.randrange(4)}",
    }


def _entries(random: Random, at: datetime) -> list[Entry]:
    """An event; now and then a heartbeat, a gap or a list of the live channels."""
    kind = random.random()
    if kind < 0.96:
        return [_event(random, at)]
    if kind < 0.97:
        return [Heartbeat(seq=1, at=at, received_at=at, state="up")]
    if kind < 0.98:
        return [Gap(seq=1, at=at, received_at=at, since=None, reason="reconnect")]
    items = {str(item["Uniqueid"]): item for item in (_item(random) for _ in range(random.randrange(5)))}
    mark = at - timedelta(seconds=random.choice([0, 0.5]))
    return [
        SnapshotBegin(seq=1, at=at, received_at=at, watermark=mark),
        *[SnapshotChannel(seq=1, at=at, received_at=at, fields=item) for item in items.values()],
        SnapshotEnd(seq=1, at=at, received_at=at, watermark=mark, channels=len(items), complete=True),
    ]


def _hold(state: PbxState) -> None:
    calls = state._calls
    for leg in state.legs.values():  # whose Hangup would end it knows of it
        own = calls.channels[leg.dstuid or leg.srcuid]
        assert leg.leg_id == (own.called_leg if leg.dstuid else own.caller_leg)
    for uniqueid, channel in calls.channels.items():
        own_legs = {channel.called_leg, channel.caller_leg, *channel.dial_legs} - {None}
        assert own_legs <= state.legs.keys()
        if channel.talk is not None:
            assert uniqueid in calls.talks[channel.talk].channels
    for number in calls.talks.keys() - set(calls.parted):
        assert {calls.channels[uniqueid].talk for uniqueid in calls.talks[number].channels} == {number}


def test_every_live_leg_is_that_of_a_channel_that_lives() -> None:
    for seed in range(TRIES):
        random, state, time = Random(seed), new_state(), BEGIN  # noqa: S311
        seq = 0
        for _ in range(LENGTH):
            time += timedelta(seconds=random.choice([0, 0, 0.001, 0.01, 0.06, 0.3, 1.2]))
            for entry in _entries(random, time):
                seq += 1
                state.apply(replace(entry, seq=seq), epoch=1, boot=1 if seq < 100 else 2)
                _hold(state)
