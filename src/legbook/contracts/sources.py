"""Where each field of a leg comes from: events and fields of AMI, as `Event.Field`. Words; `legbook.calls` does it.

"Caller leg" and "bridge leg" are the kinds of that name; what is said without a kind is said of a dial leg.
"""

from collections.abc import Mapping
from typing import Final

_OURS: Final = "none: it is ours"

SOURCES: Final[Mapping[str, str]] = {
    "v": _OURS,
    "pbx": "none: the name in the fleet file",
    "leg_id": "none: the time of the event that began it and the PBX's number in the fleet file",
    "epoch": _OURS,
    "seq": _OURS,
    "boot": "FullyBooted.Uptime at the login; below Asterisk 16 the answer to CoreStatus",
    "rule": _OURS,
    "kind": (
        "dial leg: DialBegin; of a pickup DialEnd with ANSWER, in a queue AgentConnect. Caller leg: Newchannel or "
        "Newstate with ChannelState 4. Bridge leg: BridgeEnter"
    ),
    "state": "DialBegin; Newstate with ChannelState 5; BridgeEnter; Hangup",
    "born": "time of DialBegin; of a leg that was a caller leg first, of that one's ChannelState 4",
    "start": "time of DialBegin; caller leg: of ChannelState 4; bridge leg: of BridgeEnter",
    "ring": "time of Newstate of the called channel with ChannelState 5",
    "answer": (
        "time of the BridgeEnter that brings the called channel together with another; originated: of its Newstate "
        "with ChannelState 6"
    ),
    "end": "time of Hangup of the called channel; caller leg: of the caller",
    "end_reason": "Hangup; else that a list of the channels has it no more, Uptime at the login, or silence",
    "end_exact": "Hangup, or anything else",
    "answered": "as answer",
    "disposition": (
        "BridgeEnter, DialEnd.DialStatus, Hangup.Cause; caller leg: Newstate with ChannelState 6, "
        "VarSet of DIALSTATUS"
    ),
    "src": (
        "DialBegin.CallerIDNum; the caller's Newchannel.CallerIDNum if its device is called so; caller leg: "
        "Newchannel.CallerIDNum"
    ),
    "dst": (
        "as dialled; after a blind transfer BlindTransfer.Extension; after a redirect, and originated, "
        "DialBegin.Exten; caller leg: Newchannel.Exten, then Newexten.Exten"
    ),
    "dialled": "the caller's first DialBegin.Exten or QueueCallerJoin.Exten",
    "exten": "DialBegin.Exten; caller leg: Newchannel.Exten, then Newexten.Exten",
    "didnumber": (
        "VarSet of FROM_DID or DID on the caller; else its Newchannel.Exten, if in an inbound context of the PBX"
    ),
    "queue": "the caller's QueueCallerJoin.Queue, until QueueCallerLeave; of a pickup AgentConnect.Queue",
    "srcname": "DialBegin.CallerIDName; caller leg: Newchannel.CallerIDName",
    "srcchan": "DialBegin.Channel, or the real channel behind that Local one; Rename.Newname",
    "srcuid": "Uniqueid of the channel in srcchan",
    "srcdevice": "the name in srcchan",
    "src_up": "time of Newstate of the caller with ChannelState 6",
    "src_gone": "time of Hangup of the caller",
    "dstchan": "DialBegin.DestChannel; Rename.Newname",
    "dstuid": "DialBegin.DestUniqueid",
    "dstdevice": "the name in dstchan",
    "linkedid": "DialBegin.DestLinkedid; caller leg: Newchannel.Linkedid; at the end Hangup.Linkedid",
    "linkedid_first": "DialBegin.DestLinkedid; caller leg: Newchannel.Linkedid",
    "accountcode": "DialBegin.AccountCode, else DialBegin.DestAccountCode; caller leg: Newchannel.AccountCode",
    "dialstring": "DialBegin.DialString",
    "dialstatus": "DialEnd.DialStatus; caller leg: VarSet of DIALSTATUS",
    "hangupcause": "Hangup.Cause",
    "hangupcausetxt": "Hangup.Cause-txt",
    "peer": "BridgeEnter; number, name and channel as its Newchannel said them",
    "talks": "times of BridgeEnter and BridgeLeave, SwapUniqueid; Local pairs by LocalBridge and by their names",
    "held": "times of Hold and Unhold, BridgeLeave, Hangup",
    "billsec": "as talks; originated: times of Newstate with ChannelState 6 and of Hangup",
    "billsec_leg_a": "times of the caller's Newstate with ChannelState 6 and of Hangup",
    "flags": (
        "DialBegin, Pickup, BlindTransfer, BridgeLeave, DialEnd.Forward, ChanSpyStart, ParkedCallTimeOut, "
        "AgentRingNoAnswer, QueueCallerAbandon"
    ),
}
