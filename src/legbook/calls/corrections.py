"""Legs whose end was estimated, and the real Hangup that may still come.

1. Kept for 10 minutes of event time, by the channel whose Hangup would have ended them.
2. Other events about such a channel are history: they do not bring it back.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from legbook.calls import legs
from legbook.calls.outcome import seconds
from legbook.calls.step import Step
from legbook.contracts.legs import EndReason, Leg

WINDOW: Final = 600.0  # seconds


def estimate(step: Step, leg: Leg, reason: EndReason, end: datetime | None) -> None:
    """Ends a leg without a Hangup; never before what is known of it."""
    latest = max((t for t in (leg.start, leg.answer, end) if t is not None), default=None)
    closed = legs.close(step, leg, reason, latest, exact=False)
    uniqueid = leg.dstuid or leg.srcuid
    step.calls.missed.setdefault(uniqueid, []).append(closed)
    step.later(WINDOW, "corrections.over", uniqueid)


def over(step: Step, uniqueid: str) -> None:
    step.calls.missed.pop(uniqueid, None)


def is_history(step: Step, uniqueids: Iterable[str]) -> bool:
    return bool(step.calls.missed) and any(uniqueid in step.calls.missed for uniqueid in uniqueids)


def real_end(step: Step, uniqueid: str, cause: int | None, text: str) -> bool:
    """The Hangup came after all. False: no leg of this channel was ended by estimate."""
    missed = step.calls.missed.pop(uniqueid, None)
    for estimated in missed or ():
        leg = _talked_on(estimated, step.now)
        legs.close(step, replace(leg, hangupcause=cause, hangupcausetxt=text), "hangup", step.now)
    return missed is not None


def _talked_on(leg: Leg, end: datetime | None) -> Leg:
    """A talk that ended only by our estimate went on."""
    if not leg.talks or leg.talks[-1].end != leg.end or end is None:
        return leg
    last = leg.talks[-1]
    longer = seconds(last.end, end) if leg.billsec and leg.kind != "caller" else 0.0
    return replace(
        leg, talks=[*leg.talks[:-1], replace(last, end=end)], billsec=round(leg.billsec + longer, 6)
    )
