"""Cdr events of a round that went otherwise than its recording: they tell what happened now.

Their dates are those of the recording in every round; only how long, whether answered, and how it ended follow.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from legbook.fakepbx import causes
from legbook.fakepbx.lives import Life, Lives, lives
from legbook.fakepbx.moments import SECOND
from legbook.fakepbx.recording import Recording
from legbook.fakepbx.templates import Template

_FORMAT = "%Y-%m-%d %H:%M:%S"


def corrected(recording: Recording, script: Sequence[Template], done: int) -> tuple[Template, ...]:
    """The script with the Cdrs that are still to come as they must be now."""
    now, was = lives(script), lives(recording.templates)
    rest = [
        recording.press.edited(event, _values(event, now, was)) if event.name == "Cdr" else event
        for event in script[done:]
    ]
    return (*script[:done], *rest)


def _values(event: Template, now: Lives, was: Lives) -> dict[str, str | None]:
    called = _named(now, event.get("DestinationChannel"))
    caller, before = _named(now, event.get("Channel")), _named(was, event.get("Channel"))
    if called is not None:
        return _of_leg(event, called)
    if caller is None or before is None or caller.end is None or before.end is None:
        return {}
    earlier = timedelta(seconds=(before.end - caller.end) // SECOND)
    return _of_dialplan(event, earlier, answered=any(life.answer is not None for life in now.values()))


def _named(found: Lives, channel: str) -> Life | None:
    return next((life for life in found.values() if life.name == channel), None)


def _of_leg(event: Template, called: Life) -> dict[str, str | None]:
    if called.end is None or called.dialled is None:
        return {}
    seconds = (called.end - called.dialled) // SECOND
    answered = called.answer is not None
    return {
        "AnswerTime": event.get("AnswerTime") if answered else "",
        "EndTime": _date(event.get("StartTime"), timedelta(seconds=seconds)),
        "Duration": str(seconds),
        "BillableSeconds": str((called.end - called.answer) // SECOND) if called.answer is not None else "0",
        "Disposition": causes.disposition(answered=answered, cause=called.cause, status=called.status),
    }


def _of_dialplan(event: Template, earlier: timedelta, *, answered: bool) -> dict[str, str | None]:
    """A row without a called channel: what the caller's dialplan did at the end (06: its extension h)."""
    end = _date(event.get("EndTime"), -earlier)
    return {
        "StartTime": _date(event.get("StartTime"), -earlier),
        "AnswerTime": end if answered and event.get("AnswerTime") else "",
        "EndTime": end,
        "Disposition": event.get("Disposition") if answered else "NO ANSWER",
    }


def _date(text: str, later: timedelta) -> str:
    try:
        return f"{datetime.strptime(text, _FORMAT) + later:{_FORMAT}}"  # noqa: DTZ007 (Asterisk writes no zone)
    except ValueError:
        return text
