"""One full example of every message and of every kind of entry: a call to a ring group, its transfer, a parked call.

Numbers are those of the test PBX: devices 201 to 203, trunk sipto45, DID 30900, caller 2002.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from legbook.contracts import codec
from legbook.contracts.commands import CommandResult, Hangup, HangupArgs
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
    SnapshotItem,
)
from legbook.contracts.status import IngestStatus, Owner, ProjectorStatus
from legbook.contracts.topics import CDR, COMMANDS, LEGS, OWNERS, RAW, RESULTS, STATUS


def _at(second: float) -> datetime:
    """Seconds after 01:36:00 of that night."""
    micros = round(second * 1_000_000)
    return datetime(2026, 11, 23, 1, 36, micros // 1_000_000, micros % 1_000_000, tzinfo=UTC)


def _leg_id(born: datetime) -> int:
    """As the fold numbers them: milliseconds since 2025, then the number of the PBX."""
    return (born - datetime(2025, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) << 12 | 1


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
    boot=_BOOT,
    epoch=_EPOCH,
    entries=[
        ConnectionDown(
            seq=4711, at=_at(17.9), received_at=_at(17.901), reason="silent", detail="nothing for 15 s, cut"
        ),
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
        SnapshotItem(
            seq=4717,
            at=_at(19.56855),
            received_at=_at(19.56955),
            name="Status",
            fields={
                "Event": "Status",
                "Uniqueid": "1795397779.3",
                "Variable": ["DID=(null)", "FROM_DID=30900"],
            },
        ),
        SnapshotEnd(
            seq=4718,
            at=_at(19.5686),
            received_at=_at(19.5696),
            watermark=_at(19.5685),
            channels=1,
            complete=True,
        ),
        Event(seq=4719, at=_at(19.568833), received_at=_at(19.570402), name="DialBegin", fields=_DIAL_BEGIN),
        Event(
            seq=4720,
            at=_at(19.570912),
            received_at=_at(19.571833),
            name="UserEvent",
            fields=_ODD_FRAME,
            flags=["bad_utf8", "dup_header"],
            raw_b64=_ODD_BYTES,
        ),
        Drop(seq=4721, at=_at(19.572), received_at=_at(19.573), reason="long", size=4096, name="UserEvent"),
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
    reason="",
    since=_at(19.260489),
    ami="11.0.0",
    asterisk="22.10.1",
    boot=_BOOT,
    last_gap=_at(19.2605),
)
PROJECTOR: Final = ProjectorStatus(
    pbx="hq", epoch=_EPOCH, at=_at(20.1), lag=0.031, late_entries=0, live_legs=3, suspect_since=_at(19.2605)
)

RINGING: Final = Leg(
    pbx="hq",
    leg_id=_leg_id(_at(19.568833)),
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
    leg_id=_leg_id(_at(41.302)),
    epoch=_EPOCH,
    seq=5012,
    boot=_BOOT,
    rule="channels.new",
    kind="caller",
    state="waiting",
    born=_at(41.302),
    start=_at(41.302),
    src="201",
    dst="999",
    srcname="201",
    srcchan="PJSIP/201-00000009",
    srcuid="1795397801.10",
    srcdevice="201",
    linkedid="1795397801.10",
    linkedid_first="1795397801.10",
)
ECHO_TEST: Final = replace(
    WAITING,
    seq=5066,
    rule="channels.hangup",
    state="ended",
    end=_at(48.61),
    end_reason="hangup",
    disposition="ANSWERED",
    src_up=_at(41.31),
    hangupcause=16,
    hangupcausetxt="Normal Clearing",
    billsec_leg_a=7.3,
)
TRANSFERRED: Final = Leg(  # 202 asked 203, then gave it the caller from the trunk
    pbx="hq",
    leg_id=_leg_id(_at(23.501204)),
    epoch=_EPOCH,
    seq=4895,
    boot=_BOOT,
    rule="channels.hangup",
    kind="dial",
    state="ended",
    born=_at(23.501204),
    start=_at(23.501204),
    ring=_at(23.604),
    answer=_at(24.51),
    end=_at(37.583692),
    end_reason="hangup",
    answered=True,
    disposition="ANSWERED",
    src="202",
    dst="203",
    dialled="203",
    exten="203",
    srcname="202",
    srcchan="PJSIP/202-00000004",
    srcuid="1795397779.5",
    srcdevice="202",
    src_up=_at(21.584),
    dstchan="PJSIP/203-00000006",
    dstuid="1795397783.9",
    dstdevice="203",
    linkedid="1795397779.3",
    linkedid_first="1795397779.3",
    dialstring="203",
    dialstatus="ANSWER",
    hangupcause=16,
    hangupcausetxt="Normal Clearing",
    peer=Peer(num="2002", name="2002", chan="PJSIP/sipto45-00000002", uid="1795397779.3", device="sipto45"),
    talks=[
        Interval(start=_at(24.51), end=_at(28.5), devices=["202"]),
        Interval(start=_at(28.51), end=_at(37.58), devices=["sipto45"]),
    ],
    held=[Hold(holder="203", start=_at(31.15), end=_at(33.2))],
    billsec=13.06,
    billsec_leg_a=15.999692,
    flags=Flags(via_local=True, consult=True),
)
RETRIEVED: Final = Leg(  # a parked call that 203 fetched by dialling 701
    pbx="hq",
    leg_id=_leg_id(_at(4.634)),
    epoch=_EPOCH,
    seq=4302,
    boot=_BOOT,
    rule="bridges.enter",
    kind="bridge",
    state="ended",
    born=_at(4.634),
    start=_at(4.634),
    answer=_at(4.634),
    end=_at(7.141),
    end_reason="hangup",
    answered=True,
    disposition="ANSWERED",
    src="2002",
    dst="203",
    dialled="201",
    exten="701",
    srcname="2002",
    srcchan="PJSIP/sipto45-00000000",
    srcuid="1795397760.0",
    srcdevice="sipto45",
    src_up=_at(1.118),
    dstchan="PJSIP/203-00000001",
    dstuid="1795397764.2",
    dstdevice="203",
    linkedid="1795397760.0",
    linkedid_first="1795397760.0",
    hangupcause=16,
    hangupcausetxt="Normal Clearing",
    talks=[Interval(start=_at(4.634), end=_at(7.14), devices=["sipto45"])],
    billsec=2.506,
    billsec_leg_a=6.023,
)


COMMAND: Final = Hangup(
    command_id="0d4f7c2e-6f0b-4a57-9a34-5b1f0f1d2c11",
    pbx="hq",
    args=HangupArgs(leg_id=_leg_id(_at(19.568833)), side="dst"),
    issuer="crm",
    actor="alice",
    issued_at=_at(21.0),
    not_after=_at(26.0),
)
RESULT: Final = CommandResult(
    command_id=COMMAND.command_id,
    pbx="hq",
    state="done",
    message="1 channel hung up",
    uniqueids=["1795397779.5"],
    leg_ids=[COMMAND.args.leg_id],
    at=_at(21.042),
    digest=sha256(codec.encode(COMMAND)).hexdigest(),
)


@dataclass(frozen=True, slots=True)
class Example:
    """A message of a topic; `name` is the message's, with the kind where there are several."""

    topic: str
    name: str
    message: Struct


EXAMPLES: Final = (
    Example(RAW.name, "RawRecord", RECORD),
    Example(OWNERS.name, "Owner", OWNER),
    Example(STATUS.name, "IngestStatus", INGEST),
    Example(STATUS.name, "ProjectorStatus", PROJECTOR),
    Example(LEGS.name, "Leg.caller", WAITING),
    Example(LEGS.name, "Leg.dial", RINGING),
    Example(CDR.name, "Leg.bridge", RETRIEVED),
    Example(CDR.name, "Leg.caller", ECHO_TEST),
    Example(CDR.name, "Leg.dial", TRANSFERRED),
    Example(COMMANDS.name, "Hangup", COMMAND),
    Example(RESULTS.name, "CommandResult", RESULT),
)


def _letter(topic: str, key: str, entry: str, reason: str, value: str) -> dict[str, object]:
    headers = {"topic": topic, "partition": "3", "offset": "118204", "entry": entry}
    return {"key": key, "headers": {**headers, "reason": reason, "version": "0.1.0"}, "value": value}


LETTERS: Final[Mapping[str, Mapping[str, object]]] = {
    RAW.dlq: _letter(
        RAW.name,
        "hq",
        "",
        "bad_message: Expected `int`, got `str` - at `$.epoch`",
        '{"v":1,"pbx":"hq","boot":1795397771,"epoch":"1795397755","entries":[]}',
    ),
    CDR.dlq: _letter(
        CDR.name,
        "hq|244564703510529",
        "",
        "newer_version: v is 2, this reader knows 1",
        '{"v":2,"pbx":"hq","leg_id":244564703510529}',
    ),
    COMMANDS.dlq: _letter(
        COMMANDS.name,
        "hq",
        "",
        "bad_message: JSON is malformed: invalid character (byte 0)",
        "hang up line 3",
    ),
}
"""`value`: the bytes as they came, here as text; they need not be JSON."""
