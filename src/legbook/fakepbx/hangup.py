"""What a hang-up asked by AMI does to a round: the rest of its script, written anew.

1. A channel that talks or calls ends the whole call: the ends that the recording has in store (DialEnd,
   BridgeLeave, BridgeDestroy, SoftHangupRequest, Hangup, Cdr) come forward to now, in its order; nothing else of it
   happens. A leg that is over stays as it was.
2. A phone that rings loses its own channel only (17b). The others go on as recorded.
3. If that phone would have answered, nobody does: the others ring until the recording would have ended the
   talk; then the caller gives up, as in 04 and 07b.
4. When no phone is left that rings, the dial is over and the caller's dialplan hangs up at once, as in 02 and 07.

Every event says of its channels what is true then, not what the recording had made of them later.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from legbook.fakepbx import causes
from legbook.fakepbx.cdrs import corrected
from legbook.fakepbx.ends import CauseOf, Events, as_of, is_idle, moved, what_ends
from legbook.fakepbx.lives import UP, Life, Lives, lives
from legbook.fakepbx.recording import Recording
from legbook.fakepbx.templates import Template

_AT_ONCE = 100_000  # microseconds in which a dialplan has ended its caller


@dataclass(frozen=True, slots=True)
class Hangup:
    """The channel's uniqueid in the recording, the offset of now, and the Cause of the action if it had one."""

    uniqueid: str
    at: int
    cause: int | None


def after_hangup(
    recording: Recording, script: Events, done: int, hangup: Hangup
) -> tuple[Template, ...] | None:
    """The new script; its first `done` events have happened. A channel that is gone changes nothing.

    None: the recording stops before the end of this channel, so it cannot say how that goes.
    """
    past, rest = script[:done], script[done:]
    now, whole = lives(past), lives(script)
    life = now[hangup.uniqueid]
    if life.end is not None:
        return tuple(script)
    if whole[hangup.uniqueid].end is None:
        return None
    if whole[hangup.uniqueid].dialled is not None and life.up is None:
        rest = _Leg(recording, past, rest, hangup).ended()
    else:
        rest = what_ends(recording.press, past, rest, hangup.at, _causes_of_all(now, hangup))
    return corrected(recording, (*past, *rest), done)


def _causes_of_all(now: Lives, hangup: Hangup) -> CauseOf:
    """Rule 1. None: as recorded, e.g. a phone that lost to the one who answered."""
    talking = _talks(now)
    callers = causes.of_talking(hangup.cause) if now[hangup.uniqueid].up is not None else hangup.cause or 0

    def cause_of(life: Life) -> int | None:
        if life.uniqueid == hangup.uniqueid or (talking and life.up is not None):
            return callers
        if talking or life.dial_end is not None:
            return None
        return causes.of_cancelled(life.name, callers)

    return cause_of


def _given_up(life: Life) -> int | None:
    """Rule 3."""
    if life.dialled is None:
        return causes.of_cancelling(life.name)
    if life.dial_end is not None:
        return None
    return causes.of_cancelled(life.name, causes.of_cancelling(life.name))


def _dialplan_ends(life: Life) -> int | None:
    """Rule 4."""
    return causes.of_dialplan() if life.dialled is None else None


def _talks(now: Lives) -> bool:
    return any(life.dialled is not None and life.up is not None and life.end is None for life in now.values())


class _Leg:
    """The end of one ringing leg, and how the call goes on without it."""

    def __init__(self, recording: Recording, past: Events, rest: Events, hangup: Hangup) -> None:
        self._recording = recording
        self._press = recording.press
        self._past = past
        self._rest = rest
        self._hangup = hangup
        self._now = lives(past)
        self._life = self._now[hangup.uniqueid]

    def ended(self) -> Events:
        own = [event for event in self._rest if self._is_own(event)]
        others: Events = [event for event in self._rest if not self._is_own(event)]
        first = self._until_dialled(own)
        end = self._end(own, first)
        if self._life.dial_end is None:
            others = self._without([*first, *end], others)
        return _in_order([*first, *end, *others])

    def _is_own(self, event: Template) -> bool:
        """Its device too: what the recording has in store for that has not happened."""
        if event.name == "DeviceStateChange":
            return event.get("Device") == self._life.name.rpartition("-")[0]
        uniqueids = event.get("Uniqueid"), event.get("DestUniqueid")
        return self._hangup.uniqueid in uniqueids or (
            event.name != "Cdr" and event.get("Channel") == self._life.name
        )

    @staticmethod
    def _until_dialled(own: Events) -> Events:
        """A channel that is not dialled yet is still dialled: the caller's dialplan is in the middle of it."""
        dialled = next((i for i, event in enumerate(own) if event.name == "DialBegin"), -1)
        return own[: dialled + 1]

    def _end(self, own: Events, first: Events) -> Events:
        """DialEnd and Hangup as in 17b. A leg that had lost already only gets its Hangup, as recorded."""
        lost, asked = self._life.dial_end is not None, self._hangup.cause
        status = causes.dial_status(asked)
        cause = None if lost else causes.of_ringing(self._life.name, asked)
        then = lives([*self._past, *first])
        end = [] if lost else [event for event in own if event.name == "DialEnd"][:1]
        end = [
            *(as_of(self._press, event, then, status, None) for event in end),
            *(as_of(self._press, event, then, status, cause) for event in own if event.name == "Hangup"),
            *[event for event in own if is_idle(event)][-1:],
        ]
        return moved(end, max([self._hangup.at, *(event.offset for event in first)]))

    def _without(self, happened: Events, others: Events) -> Events:
        whole = lives([*self._past, *self._rest])
        if whole[self._hangup.uniqueid].up is not None:
            others = self._nobody_answers(happened, others)
        alone = not any(self._still_rings(life) for life in whole.values())
        if alone or any(life.answer is not None for life in lives(self._recording.templates).values()):
            return self._dial_over(happened, others)
        return others

    def _still_rings(self, life: Life) -> bool:
        now = self._now.get(life.uniqueid)
        ended = now is not None and (now.dial_end is not None or now.end is not None)
        return life.uniqueid != self._hangup.uniqueid and life.dialled is not None and not ended

    def _nobody_answers(self, happened: Events, others: Events) -> Events:
        """Rule 3: `others` up to the answer, and the end of it all when the talk would have ended."""
        answer = next(i for i, event in enumerate(self._rest) if self._is_own(event) and _is_up(event))
        before = {id(event) for event in self._rest[:answer]}
        ringing = [event for event in others if id(event) in before]
        never = [event for event in others if id(event) not in before]
        gives_up = next(
            (event.offset for event in never if event.name in {"HangupRequest", "BridgeLeave"}),
            self._rest[answer].offset,
        )
        past = _in_order([*self._past, *happened, *ringing])
        return [*ringing, *what_ends(self._press, past, never, gives_up, _given_up)]

    def _dial_over(self, happened: Events, others: Events) -> Events:
        """Rule 4, if the caller would sit there alone, waiting for what the recording had for it."""
        course = _in_order([*self._past, *happened, *others])
        whole = lives(course).values()
        dialled = [life for life in whole if life.dialled is not None]
        last = max((life.end or 0 for life in dialled), default=0)
        callers = max((life.end or 0 for life in whole if life.dialled is None), default=0)
        if any(life.up is not None or life.end is None for life in dialled) or callers - last < _AT_ONCE:
            return others
        past = [event for event in course if event.offset <= last]
        then = [event for event in others if event.offset <= last]
        later = [event for event in others if event.offset > last]
        return [*then, *what_ends(self._press, past, later, last, _dialplan_ends)]


def _is_up(event: Template) -> bool:
    return event.name == "Newstate" and event.get("ChannelState") == UP


def _in_order(events: Iterable[Template]) -> Events:
    return sorted(events, key=lambda event: event.offset)
