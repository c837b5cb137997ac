"""What one PBX said and how it is listened to: a record of entries, its owner, the status of its reader."""

from typing import Final

from legbook.contracts.examples.moments import BOOT, EPOCH, at
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
    SnapshotItem,
)
from legbook.contracts.status import IngestStatus, Owner, ProjectorStatus

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
    "ConnectedLineNum": "<unknown>",
    "Context": "ext-group",
    "Exten": "1000",
    "Uniqueid": "1795397779.3",
    "Linkedid": "1795397779.3",
    "Application": "Dial",
    "ApplicationData": "PJSIP/201&PJSIP/202&PJSIP/203",
    "Duration": "00:00:00",
    "BridgeId": "",
}
RECORD: Final = RawRecord(
    pbx="hq",
    boot=BOOT,
    epoch=EPOCH,
    entries=[
        ConnectionDown(
            seq=4711, at=at(17.9), received_at=at(17.901), reason="silent", detail="nothing for 15 s, cut"
        ),
        Heartbeat(seq=4712, at=at(18.2), received_at=at(18.201), state="down", offset=-0.001, rtt=0.000412),
        ConnectionUp(
            seq=4713,
            at=at(19.259489),
            received_at=at(19.260489),
            banner="Asterisk Call Manager/11.0.0",
            version="11.0.0",
            boot=BOOT,
        ),
        Gap(seq=4714, at=at(19.2595), received_at=at(19.2605), since=at(17.901), reason="reconnect"),
        SnapshotBegin(seq=4715, at=at(19.561), received_at=at(19.562), watermark=at(19.5609)),
        SnapshotChannel(seq=4716, at=at(19.5685), received_at=at(19.5695), fields=_LIVE_CHANNEL),
        SnapshotItem(
            seq=4717,
            at=at(19.56855),
            received_at=at(19.56955),
            name="Status",
            fields={
                "Event": "Status",
                "Uniqueid": "1795397779.3",
                "Variable": ["DID=(null)", "FROM_DID=30900"],
            },
        ),
        SnapshotEnd(
            seq=4718,
            at=at(19.5686),
            received_at=at(19.5696),
            watermark=at(19.5685),
            channels=1,
            complete=True,
        ),
        Event(seq=4719, at=at(19.568833), received_at=at(19.570402), name="DialBegin", fields=_DIAL_BEGIN),
        Event(
            seq=4720,
            at=at(19.570912),
            received_at=at(19.571833),
            name="UserEvent",
            fields=_ODD_FRAME,
            flags=["bad_utf8", "dup_header"],
            raw_b64=_ODD_BYTES,
        ),
        Drop(seq=4721, at=at(19.572), received_at=at(19.573), reason="long", size=4096, name="UserEvent"),
    ],
)

OWNER: Final = Owner(
    pbx="hq", epoch=EPOCH, worker="ingest-1", process="6f1c2d9a4b7e4f0c8a35d1e2b3c4d5e6", boot=BOOT
)
INGEST: Final = IngestStatus(
    pbx="hq",
    epoch=EPOCH,
    at=at(20.0),
    state="up",
    reason="",
    since=at(19.260489),
    ami="11.0.0",
    asterisk="22.10.1",
    boot=BOOT,
    last_gap=at(19.2605),
)
PROJECTOR: Final = ProjectorStatus(
    pbx="hq", epoch=EPOCH, at=at(20.1), lag=0.031, late_entries=0, live_legs=3, suspect_since=at(19.2605)
)
