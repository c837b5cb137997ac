"""How a leg ended: disposition and seconds. Pure arithmetic on what the leg already holds.

1. Answered is answered. One that was cancelled is NO ANSWER: app_dial gives the phones that it cancels the cause
   of another one, 17 where one of the group was busy (51a).
2. Else the hang-up cause decides: 17 and 21 are BUSY, 18 and 19 NO ANSWER.
3. Else DialStatus BUSY is BUSY; CONGESTION, CHANUNAVAIL, INVALIDARGS and ABORT are FAILED; the rest NO ANSWER.
   DialStatus alone would differ between versions: 480 and 603 give BUSY on 16, NOANSWER on 22 (05b, 05f).
4. A caller with nobody rung is ANSWERED if its channel was up (IVR, echo test), else as its DIALSTATUS says.
"""

from datetime import datetime

from legbook.contracts.legs import Disposition

_CAUSES: dict[int, Disposition] = {17: "BUSY", 21: "BUSY", 18: "NO ANSWER", 19: "NO ANSWER"}
_FAILED = frozenset({"CONGESTION", "CHANUNAVAIL", "INVALIDARGS", "ABORT"})


def disposition(*, answered: bool, cause: int | None, dialstatus: str) -> Disposition:
    if answered:
        return "ANSWERED"
    if dialstatus == "CANCEL":
        return "NO ANSWER"
    if cause in _CAUSES:
        return _CAUSES[cause]
    return of_status(dialstatus)


def of_status(dialstatus: str) -> Disposition:
    if dialstatus == "BUSY":
        return "BUSY"
    return "FAILED" if dialstatus in _FAILED else "NO ANSWER"


def seconds(start: datetime | None, end: datetime | None) -> float:
    """Seconds between two moments, never below zero, 0.0 if either is unknown."""
    if start is None or end is None:
        return 0.0
    return max(0.0, round((end - start).total_seconds(), 6))
