"""Events that end something, as the recording has them in store: brought forward, and true at that moment."""

from collections.abc import Callable, Iterable, Sequence

from legbook.fakepbx import causes
from legbook.fakepbx.lives import Life, Lives, lives
from legbook.fakepbx.templates import Press, Template

Events = Sequence[Template]
CauseOf = Callable[[Life], int | None]  # None: the cause that was recorded

_LONGEST_GAP = 2_000  # microseconds between two events of one end, as in the recordings


def is_idle(event: Template) -> bool:
    return event.name == "DeviceStateChange" and event.get("State") == "NOT_INUSE"


def what_ends(press: Press, past: Events, rest: Events, at: int, cause_of: CauseOf) -> Events:
    """Of the rest only what ends something that has begun by then, from `at` on."""
    now = lives(past)
    bridges = {event.get("BridgeUniqueid") for event in past if event.name == "BridgeCreate"}
    kept = []
    for event in rest:
        if _is_end(event, now, bridges):
            uniqueid = event.get("Uniqueid")
            cause = cause_of(now[uniqueid]) if event.name == "Hangup" else None
            kept.append(as_of(press, event, now, "CANCEL", cause))
    return moved(kept, at)


def _is_end(event: Template, now: Lives, bridges: set[str]) -> bool:
    match event.name:
        case "DialEnd":
            called = now.get(event.get("DestUniqueid"))
            return called is not None and called.dialled is not None and called.dial_end is None
        case "BridgeLeave":
            return event.get("Uniqueid") in now and now[event.get("Uniqueid")].bridge is not None
        case "BridgeDestroy":
            return event.get("BridgeUniqueid") in bridges
        case "SoftHangupRequest" | "Hangup":
            return event.get("Uniqueid") in now and now[event.get("Uniqueid")].end is None
    return event.name == "Cdr" or is_idle(event)


def as_of(press: Press, event: Template, now: Lives, status: str, cause: int | None) -> Template:
    """The event as it would have been then. `status`: of the dial of a phone that is not up."""
    values: dict[str, str | None] = {}
    for side in ("", "Dest"):
        if life := now.get(event.get(f"{side}Uniqueid")):
            values |= {f"{side}{name}": value for name, value in life.snapshot.items()}
    if event.name == "DialEnd" and now[event.get("DestUniqueid")].up is None:
        values["DialStatus"] = status
    if event.name != "Hangup" or cause is not None:
        values["TechCause"] = None  # what a phone said, and none did
    if cause is not None:
        values |= causes.headers(cause)
    return press.edited(event, values)


def moved(events: Iterable[Template], at: int) -> Events:
    """From `at` on, in this order, with the distances they had if those were small."""
    result: list[Template] = []
    before: int | None = None
    for event in events:
        gap = 0 if before is None else event.offset - before
        at += min(max(gap, 0), _LONGEST_GAP)
        before = event.offset
        result.append(event.at(at))
    return result
