"""One full example of every message and of every kind of entry, as in a ring group that 202 answered.

Numbers are those of the test PBX: devices 201 to 203, trunk sipto45, DID 30900, caller 2002.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from legbook.contracts import codec
from legbook.contracts.legs import Flags, Hold, Interval, Leg, Peer
from legbook.contracts.raw import (
    ConnectionDown,
    ConnectionUp,
    Drop,
    Event,
    Gap,
    Heartbeat,
    RawRecord,
    SnapshotBegin,
    SnapshotChannel,
    SnapshotEnd,
)
from legbook.contracts.status import IngestStatus, Owner, ProjectorStatus
from legbook.contracts.topics import CDR, DLQ_HEADERS, LEGS, OWNERS, RAW, STATUS, Topic


def _at(second: float) -> datetime:
    """Seconds after 01:36:00 of that night."""
    micros = round(second * 1_000_000)
    return datetime(2026, 11, 23, 1, 36, micros // 1_000_000, micros % 1_000_000, tzinfo=UTC)


_BOOT: Final = 1795397771
_EPOCH: Final = 1795397755
_DIAL_BEGIN: Final[dict[str, str | list[str]]] = {
    "Event": "DialBegin",
    "Privilege": "call,all",
    "Timestamp": "1795397779.568833",
    "Channel": "PJSIP/sipto45-00000002",
    "ChannelState": "4",
    "ChannelStateDesc": "Ring",
    "CallerIDNum": "2002",
    "CallerIDName": "2002",
    "ConnectedLineNum": "<unknown>",
    "ConnectedLineName": "<unknown>",
    "Language": "en",
    "AccountCode": "",
    "Context": "ext-group",
    "Exten": "1000",
    "Priority": "2",
    "Uniqueid": "1795397779.3",
    "Linkedid": "1795397779.3",
    "ChanVariable": ["FROM_DID=30900", "DIALSTATUS="],
    "DestChannel": "PJSIP/202-00000004",
    "DestChannelState": "0",
    "DestChannelStateDesc": "Down",
    "DestCallerIDNum": "202",
    "DestCallerIDName": "202",
    "DestConnectedLineNum": "2002",
    "DestConnectedLineName": "2002",
    "DestLanguage": "en",
    "DestAccountCode": "",
    "DestContext": "from-internal",
    "DestExten": "1000",
    "DestPriority": "1",
    "DestUniqueid": "1795397779.5",
    "DestLinkedid": "1795397779.3",
    "DialString": "202",
}
_ODD_FRAME: Final[dict[str, str | list[str]]] = {
    "Event": "UserEvent",
    "Privilege": "user,all",
    "Timestamp": "1795397779.570912",
    "UserEvent": "Greeting",
    "Text": "gr\N{REPLACEMENT CHARACTER}n",
    "Colour": ["red", "green"],
}
_ODD_BYTES: Final = (
    "RXZlbnQ6IFVzZXJFdmVudA0KUHJpdmlsZWdlOiB1c2VyLGFsbA0KVGltZXN0YW1wOiAxNzk1Mzk3Nzc5LjU3MDkxMg0KVXNlckV2ZW50"
    "OiBHcmVldGluZw0KVGV4dDogZ3L8bg0KQ29sb3VyOiByZWQNCkNvbG91cjogZ3JlZW4="
)
_LIVE_CHANNEL: Final[dict[str, str | list[str]]] = {
    "Event": "CoreShowChannel",
    "Channel": "PJSIP/sipto45-00000002",
    "ChannelState": "4",
    "ChannelStateDesc": "Ring",
    "CallerIDNum": "2002",
    "CallerIDName": "2002",
    "ConnectedLineNum": "<unknown>",
    "ConnectedLineName": "<unknown>",
    "Language": "en",
    "AccountCode": "",
    "Context": "ext-group",
    "Exten": "1000",
    "Priority": "2",
    "Uniqueid": "1795397779.3",
    "Linkedid": "1795397779.3",
    "Application": "Dial",
    "ApplicationData": "PJSIP/201&PJSIP/202&PJSIP/203",
    "Duration": "00:00:00",
    "BridgeId": "",
}
RECORD: Final = RawRecord(
    pbx="hq",
    boot=_BOOT,
    epoch=_EPOCH,
    entries=[
        ConnectionDown(seq=4711, at=_at(17.9), received_at=_at(17.901), reason="silent", detail="nothing for 15 s, cut"),
        Heartbeat(seq=4712, at=_at(18.2), received_at=_at(18.201), state="down", offset=-0.001, rtt=0.000412),
        ConnectionUp(
            seq=4713,
            at=_at(19.259489),
            received_at=_at(19.260489),
            banner="Asterisk Call Manager/11.0.0",
            version="11.0.0",
            boot=_BOOT,
        ),
        Gap(seq=4714, at=_at(19.2595), received_at=_at(19.2605), since=_at(17.901), reason="reconnect"),
        SnapshotBegin(seq=4715, at=_at(19.561), received_at=_at(19.562), watermark=_at(19.5609)),
        SnapshotChannel(seq=4716, at=_at(19.5685), received_at=_at(19.5695), fields=_LIVE_CHANNEL),
        SnapshotEnd(
            seq=4717, at=_at(19.5686), received_at=_at(19.5696), watermark=_at(19.5685), channels=1, complete=True
        ),
        Event(seq=4718, at=_at(19.568833), received_at=_at(19.570402), name="DialBegin", fields=_DIAL_BEGIN),
        Event(
            seq=4719,
            at=_at(19.570912),
            received_at=_at(19.571833),
            name="UserEvent",
            fields=_ODD_FRAME,
            flags=["bad_utf8", "dup_header"],
            raw_b64=_ODD_BYTES,
        ),
        Drop(seq=4720, at=_at(19.572), received_at=_at(19.573), reason="long", size=4096, name="UserEvent"),
    ],
)

OWNER: Final = Owner(
    pbx="hq", epoch=_EPOCH, worker="ingest-1", process="6f1c2d9a4b7e4f0c8a35d1e2b3c4d5e6", boot=_BOOT
)
INGEST: Final = IngestStatus(
    pbx="hq",
    epoch=_EPOCH,
    at=_at(20.0),
    state="up",
    reason="connected",
    since=_at(19.260489),
    asterisk="22.10.1",
    boot=_BOOT,
    last_gap=_at(19.2605),
)
PROJECTOR: Final = ProjectorStatus(
    pbx="hq", epoch=_EPOCH, at=_at(20.1), lag=0.031, late_entries=0, live_legs=3, suspect_since=_at(19.2605)
)

RINGING: Final = Leg(
    pbx="hq",
    leg_id=244564703510529,
    epoch=_EPOCH,
    seq=4731,
    boot=_BOOT,
    rule="channels.state",
    kind="dial",
    state="ringing",
    born=_at(19.568833),
    start=_at(19.568833),
    ring=_at(19.673663),
    src="2002",
    dst="1000",
    dialled="1000",
    exten="1000",
    didnumber="30900",
    srcname="2002",
    srcchan="PJSIP/sipto45-00000002",
    srcuid="1795397779.3",
    srcdevice="sipto45",
    dstchan="PJSIP/202-00000004",
    dstuid="1795397779.5",
    dstdevice="202",
    linkedid="1795397779.3",
    linkedid_first="1795397779.3",
    dialstring="202",
)
WAITING: Final = Leg(
    pbx="hq",
    leg_id=244564703485953,
    epoch=_EPOCH,
    seq=4718,
    boot=_BOOT,
    rule="channels.new",
    kind="caller",
    state="waiting",
    born=_at(19.562251),
    start=_at(19.562251),
    src="2002",
    dst="30900",
    srcname="2002",
    srcchan="PJSIP/sipto45-00000002",
    srcuid="1795397779.3",
    srcdevice="sipto45",
    linkedid="1795397779.3",
    linkedid_first="1795397779.3",
)
FINISHED: Final = replace(
    RINGING,
    seq=4795,
    rule="channels.hangup",
    state="ended",
    answer=_at(21.585359),
    end=_at(31.583692),
    end_reason="hangup",
    answered=True,
    disposition="ANSWERED",
    src_up=_at(21.579381),
    dialstatus="ANSWER",
    hangupcause=16,
    hangupcausetxt="Normal Clearing",
    peer=Peer(
        num="203", name="203", chan="PJSIP/203-00000007", uid="1795397785.8", device="203"
    ),
    talks=[
        Interval(start=_at(21.585359), end=_at(28.5), devices=["sipto45"]),
        Interval(start=_at(28.6), end=_at(31.582977), devices=["203"]),
    ],
    held=[Hold(holder="202", start=_at(24.0), end=_at(26.5))],
    billsec=9.897618,
    billsec_leg_a=10.004311,
    flags=Flags(via_local=True),
)
SELF_SERVICE: Final = replace(
    WAITING,
    seq=4760,
    rule="channels.hangup",
    state="ended",
    dst="999",
    didnumber="30900",
    end=_at(27.1),
    end_reason="hangup",
    disposition="ANSWERED",
    src_up=_at(19.8),
    hangupcause=16,
    hangupcausetxt="Normal Clearing",
    billsec_leg_a=7.3,
)
