"""`pbx.calls.legs.v1` and `pbx.calls.cdr.v1`: one call leg, live or finished. See docs/reference/legs.md."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from legbook.contracts.raw import BootTime, Epoch, Moment, PbxName, Seq

Kind = Literal["dial", "caller", "bridge"]
State = Literal["waiting", "dialing", "ringing", "talking", "ended"]
Disposition = Literal["ANSWERED", "NO ANSWER", "BUSY", "FAILED"]
EndReason = Literal["hangup", "dialled", "snapshot", "pbx_restart", "pbx_lost", "removed"]
Seconds = Annotated[float, Meta(ge=0, description="Seconds, to the microsecond.")]


def _says(text: str) -> Meta:
    return Meta(description=text)


class Interval(Struct, frozen=True, kw_only=True, gc=False):
    """A talk of the called channel with the same set of others; `end` is null while it lasts."""

    start: Annotated[Moment, _says("The set of others begins.")]
    end: Annotated[Moment | None, _says("It changes or ends; null while it lasts.")] = None
    devices: Annotated[
        list[str], _says("The others, one item a channel: the same device may be there twice.")
    ]


class Hold(Struct, frozen=True, kw_only=True, gc=False):
    """Who put the other on hold, and when."""

    holder: Annotated[str, _says("Device that pressed hold.")]
    start: Annotated[Moment, _says("Hold.")]
    end: Annotated[
        Moment | None, _says("Unhold, or the holder's BridgeLeave or Hangup; null while it lasts.")
    ] = None


class Peer(Struct, frozen=True, kw_only=True, gc=False):
    """The one the called channel talks with, when that is neither its caller nor called by it."""

    num: Annotated[str, _says("Its number.")]
    name: Annotated[str, _says("Its caller name.")]
    chan: Annotated[str, _says("Its channel.")]
    uid: Annotated[str, _says("Its channel's uniqueid.")]
    device: Annotated[str, _says("Its device.")]
    didnumber: Annotated[str, _says("The number called from outside, if it was; else ''.")] = ""


class Flags(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What was special. Only what is true is in the object."""

    via_local: Annotated[bool, _says("Dialled through a Local channel.")] = False
    originated: Annotated[bool, _says("First leg of an Originate: it has no caller.")] = False
    consult: Annotated[bool, _says("The enquiry call of an attended transfer.")] = False
    pickup: Annotated[bool, _says("This leg picked up a call that rang somewhere else.")] = False
    picked_up_by: Annotated[
        str | None, _says("Another device answered this leg's call by pickup: this one.")
    ] = None
    after_transfer_by: Annotated[str | None, _says("The device that transferred the caller here.")] = None
    after_redirect: Annotated[
        bool, _says("The caller was redirected out of an earlier call and dialled again.")
    ] = False
    forwarded_to: Annotated[str | None, _says("The called phone sent the call on to this number (302).")] = (
        None
    )
    spy_on: Annotated[
        str | None, _says("Device listened to (ChanSpy). ANSWERED once up, has no talk, is no call.")
    ] = None
    park_ringback: Annotated[bool, _says("A parked call that came back because nobody retrieved it.")] = False
    ring_no_answer: Annotated[bool, _says("A queue rang this member in vain.")] = False
    answered_with: Annotated[
        str | None, _says("Device it was first together with, if not its caller (blonde transfer).")
    ] = None
    queue_abandoned: Annotated[bool, _says("The caller gave up in the queue.")] = False
    reconstructed: Annotated[
        bool,
        _says(
            "Some of it was not heard, but read from a list of the live channels: its times are estimates."
        ),
    ] = False


class Leg(Struct, frozen=True, kw_only=True, gc=False):
    """A real channel called for one caller (`dial`), a caller with nobody rung (`caller`), or two bridged."""

    v: Literal[1] = 1
    pbx: PbxName
    leg_id: Annotated[int, Meta(ge=0, lt=2**53, description="Grows per PBX, unique in the fleet.")]
    epoch: Epoch
    seq: Seq
    boot: BootTime | None
    rule: Annotated[
        str, _says("The rule of the fold that made this state: `answers.1` is rule 1 of `answers`.")
    ]
    kind: Annotated[
        Kind,
        _says(
            "`dial`: one real channel called for one caller. `caller`: in the dialplan, nobody rung yet. "
            "`bridge`: two channels bridged without a dial (a parked call retrieved)."
        ),
    ]
    state: Annotated[
        State,
        _says("How far it is: waiting (a caller), dialing, ringing, talking, ended. Hold changes nothing."),
    ]
    born: Annotated[
        Moment | None,
        _says("Time of the row in curcdr: a dial leg that was a caller leg first keeps that one's."),
    ]
    start: Annotated[
        Moment | None, _says("The dial began; of a caller leg its birth, of a bridge leg the bridge.")
    ]
    ring: Annotated[Moment | None, _says("The called channel began to ring.")] = None
    answer: Annotated[
        Moment | None,
        _says(
            "First together with any other real channel; of an originated first leg: up. Not early media, queue "
            "music or parking. A leg that was picked up has none."
        ),
    ] = None
    end: Annotated[
        Moment | None, _says("Hangup of the called channel, nothing else; of a caller leg, of the caller.")
    ] = None
    end_reason: Annotated[
        EndReason | None,
        _says(
            "hangup; dialled: a caller leg replaced by its dial leg, never archived; snapshot: the channel was "
            "gone; pbx_restart; pbx_lost: down for 15 minutes; removed from the fleet."
        ),
    ] = None
    end_exact: Annotated[
        bool, _says("False: `end` is estimated, and a late Hangup may still correct it.")
    ] = True
    answered: Annotated[bool, _says("It was answered.")] = False
    disposition: Annotated[
        Disposition | None,
        _says(
            "ANSWERED if answered; NO ANSWER if the dial was cancelled; else by Q.850 cause: 17, 21 BUSY; 18, 19 NO "
            "ANSWER; else by DialStatus: BUSY is BUSY; CONGESTION, CHANUNAVAIL, INVALIDARGS, ABORT are FAILED; else "
            "NO ANSWER. A caller leg: ANSWERED if its channel was up and neither queued nor parked at its end, else "
            "FAILED or BUSY by DIALSTATUS, else NO ANSWER."
        ),
    ] = None
    src: Annotated[
        str,
        _says(
            "Number of the caller, fixed at birth: CallerIDNum of the dial, but the caller's own number if its "
            "device is called like it (a phone that shows another number outside)."
        ),
    ] = ""
    dst: Annotated[
        str,
        _says(
            "Called number. A caller leg: where it is in the dialplan. A dial leg: `dialled`; after a blind "
            "transfer its target; after a redirect the caller's next exten; originated: exten, else the device."
        ),
    ] = ""
    dialled: Annotated[
        str | None, _says("The exten of the caller's first dialling step; null for an originated first leg.")
    ] = None
    exten: Annotated[
        str | None,
        _says(
            "Exten of the dial as sent, artefacts of the dialplan replaced; null for a pickup and a direct "
            "originate. A caller leg: where it is in the dialplan."
        ),
    ] = None
    didnumber: Annotated[
        str, _says("The number called from outside, on all legs of that caller but consult legs; '' if none.")
    ] = ""
    queue: Annotated[str, _says("The queue the caller was in at the leg's birth; kept.")] = ""
    srcname: Annotated[str, _says("Name of the caller, at birth.")] = ""
    srcchan: Annotated[str, _says("Channel of the caller, at birth; '' if there is none.")] = ""
    srcuid: Annotated[str, _says("Its uniqueid, which is text.")] = ""
    srcdevice: Annotated[str, _says("Its device: the channel without technology and suffix.")] = ""
    src_up: Annotated[
        Moment | None, _says("The caller's own channel was up (answered by the dialplan or by this leg).")
    ] = None
    src_gone: Annotated[
        Moment | None,
        _says("The caller hung up then and the leg goes on without it; told half a second later."),
    ] = None
    dstchan: Annotated[str, _says("The called channel; '' on a caller leg.")] = ""
    dstuid: Annotated[str, _says("Its uniqueid, which is text.")] = ""
    dstdevice: Annotated[str, _says("Its device.")] = ""
    linkedid: Annotated[
        str, _says("The call it belongs to, as of now: legs of one call share the final one.")
    ] = ""
    linkedid_first: Annotated[str, _says("The call it belonged to at birth.")] = ""
    accountcode: Annotated[str, _says("Account code of the caller.")] = ""
    dialstring: Annotated[str, _says("What was dialled, as Asterisk says it.")] = ""
    dialstatus: Annotated[str, _says("DialStatus of the dial's end.")] = ""
    hangupcause: Annotated[
        int | None,
        _says("Q.850 cause of the Hangup; differs between versions of Asterisk for the same outcome."),
    ] = None
    hangupcausetxt: Annotated[str, _says("The same in words.")] = ""
    peer: Annotated[
        Peer | None,
        _says(
            "The only other real channel in its talk, if neither its caller nor called by it (attended "
            "transfer); else null."
        ),
    ] = None
    talks: Annotated[
        list[Interval],
        _says(
            "When the called channel was together with which others; the same set again within 0.1 s is one "
            "talk. The newest 100, with at most 100 others each."
        ),
    ] = []
    held: Annotated[list[Hold], _says("When it was on hold.")] = []
    billsec: Annotated[
        Seconds,
        _says(
            "Talks credited to this leg. One in which the called channel is the caller of a younger leg belongs "
            "to that leg alone. Originated: end - answer. Seconds."
        ),
    ] = 0.0
    billsec_leg_a: Annotated[Seconds, _says("end - `src_up`: what the caller's side lasted. Seconds.")] = 0.0
    flags: Annotated[Flags, _says("What was special; only what is so is in the object.")] = Flags()

    @property
    def ver(self) -> int:
        """Orders the states of one leg: epoch and seq in one unsigned 64-bit number."""
        return self.epoch << 32 | self.seq
