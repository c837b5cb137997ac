"""Why a leg is what it is, in plain words. Knows the legs of its call; what it does not say is not known.

An outcome is that of the called channel's own Hangup; the words say what made Asterisk send it.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from legbook.calls.outcome import seconds
from legbook.contracts.legs import Leg

_ESTIMATED = {
    "snapshot": "nobody heard its hang-up: its channel was gone from a list of the live ones",
    "pbx_restart": "its Asterisk was started again: no channel outlives that",
    "pbx_lost": "its PBX was away for 15 minutes",
    "removed": "its PBX was taken out of the fleet",
}


def why(leg: Leg, others: Iterable[Leg]) -> str:
    """One to three sentences; `others`: the other legs that are known of this PBX."""
    call = [
        each for each in others if each.leg_id != leg.leg_id and each.srcuid and each.srcuid == leg.srcuid
    ]
    said = [_outcome(leg, call)]
    if leg.end_reason in _ESTIMATED:
        said.append(f"Its end is estimated: {_ESTIMATED[leg.end_reason]}.")
    if leg.flags.reconstructed:
        said.append(
            "Part of it was not heard, but read from a list of the live channels: its times are estimates."
        )
    return " ".join(said)


def _outcome(leg: Leg, call: list[Leg]) -> str:
    if leg.state != "ended":
        return f"It is not over: it is {leg.state}."
    if leg.end_reason == "dialled":
        return "It went on as another leg: somebody was dialled, or fetched, and that leg tells the rest."
    if leg.kind == "caller":
        return f"{leg.disposition}: {_caller(leg)}."
    if leg.answered:
        return f"ANSWERED: {_answered(leg, call)}."
    return f"{leg.disposition}: {_unanswered(leg, call)}."


def _clock(moment: datetime | None) -> str:
    return moment.strftime("%H:%M:%S.%f")[:-3] if moment else "an unknown time"


def _answered(leg: Leg, call: list[Leg]) -> str:
    flags = leg.flags
    if flags.spy_on:
        return (
            f"{leg.dstdevice} was up at {_clock(leg.answer)} and listened to {flags.spy_on}; that is no call"
        )
    if flags.originated and not leg.talks:
        return f"{leg.dstdevice} was called by Originate and was up at {_clock(leg.answer)}; it talked with nobody"
    first = leg.talks[0].devices if leg.talks else []
    who = flags.answered_with or ", ".join(first) or leg.srcdevice
    text = f"{leg.dstdevice} was together with {who} from {_clock(leg.answer)} on, {leg.billsec:.1f} s count for it"
    if flags.pickup:
        queue = f"of queue {leg.queue} " if leg.queue else ""
        text += f"; it took the call {queue}that rang at {_picked_up_at(leg, call)}"
    if leg.kind == "bridge":
        text += "; nobody dialled: the two were bridged (a parked call that was fetched, or AMI's Bridge)"
    conference = _conference(leg)
    if leg.peer is not None:
        last = "in the end it was alone with" if conference else "after a transfer it talked with"
        return f"{text}{conference}; {last} {leg.peer.device}"
    return text + conference


def _picked_up_at(leg: Leg, call: list[Leg]) -> str:
    """The phone whose call this one took."""
    taken = (each for each in call if each.flags.picked_up_by == leg.dstdevice and _near(leg, each))
    return next((each.dstdevice for each in taken), "another phone")


def _conference(leg: Leg) -> str:
    """Who else was there while more than two were together."""
    sets = [talk.devices for talk in leg.talks if len(talk.devices) > 1]
    if not sets:
        return ""
    others = ", ".join(dict.fromkeys(chain.from_iterable(sets)))
    return f"; up to {max(map(len, sets)) + 1} at once, a conference with {others}"


def _unanswered(leg: Leg, call: list[Leg]) -> str:
    own = f"{leg.dstdevice}'s own Hangup came with cause {leg.hangupcause}"
    winner = next((each for each in call if _answered_before(each, leg)), None)
    if leg.flags.picked_up_by:
        return f"{own} after {leg.flags.picked_up_by} had picked the call up"
    if winner is not None and winner.flags.pickup:
        return f"{own} after {winner.dstdevice} had picked up the call that rang at {_picked_up_at(winner, call)}"
    if winner is not None:
        return f"{own} after {winner.dstdevice} answered"
    return f"{_reason(leg)}; {own}" if leg.end_exact else _reason(leg)


def _reason(leg: Leg) -> str:
    """The first that is so."""
    flags, rang = leg.flags, f"{seconds(leg.ring or leg.start, leg.end):.1f} s"
    reasons = (
        (flags.forwarded_to, f"{leg.dstdevice} sent the call on to {flags.forwarded_to}"),
        (flags.queue_abandoned, f"the caller gave up in the queue {leg.queue}"),
        (flags.ring_no_answer, f"the queue {leg.queue} rang {leg.dstdevice} for {rang} in vain"),
        (leg.disposition == "BUSY", "it was busy or declined"),
        (leg.disposition == "FAILED", f"it could not be reached (DialStatus {leg.dialstatus})"),
        (leg.dialstatus == "CANCEL", f"the caller gave up, or was hung up, after it had rung for {rang}"),
        (leg.ring, f"it rang for {rang}"),
        (True, "it never rang"),
    )
    return next(text for so, text in reasons if so)


def _answered_before(other: Leg, leg: Leg) -> bool:
    """While this one was still called."""
    return bool(other.answer and leg.end and leg.start and leg.start <= other.answer and _near(other, leg))


def _near(other: Leg, leg: Leg) -> bool:
    """Within a second of its end: a later leg of the same caller answered for itself."""
    return abs(seconds(leg.end, other.answer) or seconds(other.answer, leg.end)) <= 1.0


def _caller(leg: Leg) -> str:
    if leg.flags.spy_on:
        return f"{leg.srcdevice} listened to {leg.flags.spy_on}"
    if leg.flags.queue_abandoned:
        return f"the caller gave up in the queue {leg.queue}"
    if leg.talks:
        first = leg.talks[0]
        who = f"{leg.srcdevice} was together with {', '.join(first.devices)}"
        return f"nobody was rung; {who} from {_clock(first.start)} on{_conference(leg)}"
    if leg.disposition == "ANSWERED":
        return (
            f"nobody was rung; the dialplan itself had answered at {_clock(leg.src_up)} (an IVR, voicemail)"
        )
    if leg.dialstatus:
        return f"nobody was rung: DIALSTATUS said {leg.dialstatus}"
    return "nobody was rung, and nobody answered: it waited or was parked until the caller was gone"
