"""The life of a leg: identity, what replaces what, end.

1. leg_id is `counter << 12 | number of the PBX`; counter = max(counter + 1, ms since 2025 of the entry): it
   grows per PBX, is unique in the fleet, and the same entries give the same ids.
2. A caller leg becomes the first dial leg, with its id, if no newer id was issued since: a page that polls
   `id > last` would lose the call otherwise. Else it ends as `dialled` and the dial leg has an id of its own.
3. A leg ends with the Hangup of the called channel (of the caller, for a caller leg) and with nothing else.
4. A caller alive and in no live leg half a second after its last leg ended gets a caller leg again.
5. A caller that hung up half a second ago is not the source of its live legs any more (a blind transfer by the
   caller: the one it called goes on).
"""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from legbook.calls import births
from legbook.calls.outcome import disposition, of_status, seconds
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.legs import Disposition, EndReason, Leg

YEAR_2025 = datetime(2025, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
CALLER_RETURNS = 0.5  # seconds; a follow-me dials again within this (21)
CALLER_GONE = 0.5  # seconds
MOST_QUEUED = 100  # legs of one wait in a queue that a late abandon can still change


def new_id(step: Step) -> int:
    calls = step.calls
    since_2025 = (step.now - YEAR_2025) // _MILLISECOND if step.now else 0
    calls.counter = max(calls.counter + 1, since_2025)
    return calls.counter << 12 | calls.number


def is_newest(step: Step, leg: Leg) -> bool:
    return leg.leg_id >> 12 == step.calls.counter


def open_caller(step: Step, caller: Channel, start: datetime | None, rule: str) -> None:
    """Someone in the dialplan with nobody rung yet."""
    caller.caller_leg = new_id(step)
    step.put(births.caller_leg(step, caller.caller_leg, caller, start), rule)


def take_caller_leg(step: Step, caller: Channel) -> Leg | None:
    """The caller's leg, if it may become a dial leg; one that may not has ended as dialled."""
    leg = step.calls.legs.get(caller.caller_leg or 0)
    if leg is not None and is_newest(step, leg):
        caller.caller_leg = None
        return leg
    replaced(step, caller, "legs.2")
    return None


def replaced(step: Step, caller: Channel, rule: str) -> None:
    """The caller leg of this channel, if it has one, is over: another leg tells of it from now on."""
    leg = step.calls.legs.get(caller.caller_leg or 0)
    caller.caller_leg = None
    if leg is not None:
        step.put(replace(leg, state="ended", end=step.now, end_reason="dialled"), rule)


def end_called(step: Step, called: Channel, cause: int | None, cause_text: str) -> None:
    leg = step.calls.legs.get(called.called_leg or 0)
    if leg is None:
        return
    leg = replace(leg, hangupcause=cause, hangupcausetxt=cause_text, linkedid=called.linkedid or leg.linkedid)
    closed = close(step, leg, "hangup", step.now, "legs.3")
    released(step, closed)


def released(step: Step, leg: Leg) -> None:
    """The leg of a called channel is over: its caller may be in none now."""
    caller = step.calls.channels.get(leg.srcuid)
    if caller is None or leg.leg_id not in caller.dial_legs:
        return
    caller.dial_legs.remove(leg.leg_id)
    if leg.queue and leg.queue in {caller.queue, caller.gave_up}:
        caller.queued_legs = [*caller.queued_legs[1 - MOST_QUEUED :], leg]
    if not caller.dial_legs:
        caller.idle_since = step.now
        step.later(CALLER_RETURNS, "callers.return", caller.uniqueid)


def corrected(step: Step, leg: Leg) -> None:
    """The real end of a leg came after all: a queue that keeps it keeps it so."""
    caller = step.calls.channels.get(leg.srcuid)
    if caller is not None:
        caller.queued_legs = with_newest(caller.queued_legs, leg)


def with_newest(found: list[Leg], leg: Leg) -> list[Leg]:
    return [leg if each.leg_id == leg.leg_id else each for each in found]


def end_caller(step: Step, caller: Channel, cause: int | None, cause_text: str) -> None:
    leg = step.calls.legs.get(caller.caller_leg or 0)
    if leg is None:
        return
    leg = replace(leg, hangupcause=cause, hangupcausetxt=cause_text, linkedid=caller.linkedid or leg.linkedid)
    close(
        step, leg, "hangup", step.now, "legs.3", served=not (caller.queue or caller.gave_up or caller.parked)
    )


def left_behind(step: Step, caller: Channel) -> None:
    """The caller hangs up, and what it called may go on."""
    for leg_id in caller.dial_legs:
        step.later(CALLER_GONE, "legs.gone", str(leg_id))


def gone(step: Step, leg_id: str) -> None:
    leg = step.calls.legs.get(int(leg_id))
    if leg is not None and step.now is not None:
        step.put(replace(leg, src_gone=step.now - timedelta(seconds=CALLER_GONE)), "legs.5")


def forget(step: Step, channel: Channel) -> None:
    step.calls.channels.pop(channel.uniqueid)
    step.calls.local_halves.pop(channel.name, None)


def close(
    step: Step,
    leg: Leg,
    reason: EndReason,
    end: datetime | None,
    rule: str,
    *,
    exact: bool = True,
    served: bool = True,
) -> Leg:
    """The leg is over; what is estimated says so. `served` False: a caller leg that only waited or was parked."""
    talk = seconds(leg.answer, end) if leg.flags.originated and leg.answered else leg.billsec
    closed = replace(
        leg,
        state="ended",
        end=end,
        end_reason=reason,
        end_exact=exact,
        disposition=_disposition(leg, served=served),
        billsec=talk,
        billsec_leg_a=seconds(leg.src_up, end),
        held=[hold if hold.end else replace(hold, end=end) for hold in leg.held],
    )
    step.put(closed, rule)
    return closed


def _disposition(leg: Leg, *, served: bool) -> Disposition:
    if leg.kind == "caller":
        return "ANSWERED" if leg.src_up and served else of_status(leg.dialstatus)
    return disposition(answered=leg.answered, cause=leg.hangupcause, dialstatus=leg.dialstatus)
