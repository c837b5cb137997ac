"""What is over: legs whose end was estimated, the real Hangup that may still come, and channels that hung up.

1. Kept for 10 minutes of event time, by the channel whose Hangup would have ended them: that Hangup ends them
   again, exactly.
2. Other events about such a channel are history: they do not bring it back. Nor do they bring back one that hung
   up a minute ago or less; only a Newchannel that is younger than its Hangup does (an id that Originate uses again).
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from legbook.calls import legs, talks
from legbook.calls.outcome import seconds
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.legs import EndReason, Leg

WINDOW: Final = 600.0  # seconds
REMEMBERED: Final = timedelta(seconds=60)
MOST_GONE: Final = 10_000


def estimate(step: Step, leg: Leg, reason: EndReason, end: datetime | None, rule: str) -> Leg:
    """Ends a leg without a Hangup; never before what is known of it."""
    latest = max((t for t in (leg.start, leg.answer, end) if t is not None), default=None)
    closed = legs.close(step, leg, reason, latest, rule, exact=False)
    uniqueid = leg.dstuid or leg.srcuid
    missed = step.calls.missed
    missed.setdefault(uniqueid, []).append(closed)
    if len(missed) > MOST_GONE:
        del missed[next(iter(missed))]
    step.later(WINDOW, "corrections.over", uniqueid)
    return closed


def vanish(step: Step, gone: Channel, at: datetime | None, rule: str) -> None:
    """A channel is gone, and nobody told us of its end: it was at this moment at the latest."""
    before, step.now = step.now, at
    talks.part(step, gone)
    for leg_id in (gone.called_leg, gone.caller_leg):
        leg = step.calls.legs.get(leg_id or 0)
        if leg is not None:
            closed = estimate(step, leg, "snapshot", at, rule)
            if leg.leg_id == gone.called_leg:
                legs.released(step, closed)
    step.calls.held.pop(gone.uniqueid, None)
    legs.forget(step, gone)
    step.now = before


def hung_up(step: Step, uniqueid: str) -> None:
    if step.now is None:
        return
    gone = step.calls.gone
    gone.pop(uniqueid, None)
    gone[uniqueid] = step.now
    while step.now - next(iter(gone.values())) > REMEMBERED or len(gone) > MOST_GONE:
        del gone[next(iter(gone))]


def _born_again(step: Step, uniqueid: str) -> bool:
    """A new channel with the id of one that hung up: it is younger."""
    since = step.calls.gone.get(uniqueid)
    if since is None or step.now is None or step.now <= since:
        return False
    del step.calls.gone[uniqueid]
    return True


def over(step: Step, uniqueid: str) -> None:
    step.calls.missed.pop(uniqueid, None)


def is_history(step: Step, name: str, uniqueid: str) -> bool:
    """Does this event tell of a channel that is over?"""
    if uniqueid in step.calls.gone:
        return name != "Newchannel" or not _born_again(step, uniqueid)
    return uniqueid in step.calls.missed


def real_end(step: Step, uniqueid: str, cause: int | None, text: str) -> bool:
    """The Hangup came after all. False: no leg of this channel was ended by estimate."""
    missed = step.calls.missed.pop(uniqueid, None)
    for estimated in missed or ():
        leg = replace(_talked_on(estimated, step.now), hangupcause=cause, hangupcausetxt=text)
        legs.corrected(step, legs.close(step, leg, "hangup", step.now, "corrections.1"))
    return missed is not None


def amend(step: Step, leg: Leg) -> None:
    """What is said of a leg after its estimated end is still so when the real one comes."""
    missed = step.calls.missed
    if leg.dstuid in missed:
        missed[leg.dstuid] = legs.with_newest(missed[leg.dstuid], leg)


def _talked_on(leg: Leg, end: datetime | None) -> Leg:
    """A talk that ended only by our estimate went on."""
    if not leg.talks or leg.talks[-1].end != leg.end or end is None:
        return leg
    last = leg.talks[-1]
    longer = seconds(last.end, end) if leg.billsec and leg.kind != "caller" else 0.0
    return replace(
        leg, talks=[*leg.talks[:-1], replace(last, end=end)], billsec=round(leg.billsec + longer, 6)
    )
