"""What a list of the live channels tells of events that were not heard: the same events, made up.

The rules then do with them what they do with real ones; who runs them says that it was not heard. Who dials whom is
not in the lists:

1. A phone that is an outgoing line was dialled by the channel of its call that runs Dial or Queue and names it; else
   by any that does; else by the one it is bridged with. If there is none, nothing is made up.
2. One that Originate dials was dialled by nobody.
3. A channel is where its list item says: in which state, in which bridge, in which queue.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from legbook.ami.names import is_local, is_real, other_half
from legbook.calls import listed
from legbook.calls.state import Calls, Listed, Snapshot
from legbook.contracts.raw import Event

UP, RINGING = "6", "5"


class Unheard(NamedTuple):
    """An event, and how many seconds before the watermark it was at the latest."""

    event: Event
    age: int = 0


def events(calls: Calls, snapshot: Snapshot) -> Iterator[Unheard]:
    """What must have happened, in an order that the rules understand. Lazy: it sees what they have done so far."""
    silent = [each for each in snapshot.channels.values() if _unheard(calls, each, snapshot)]
    for each in sorted(silent, key=lambda item: -item.age):
        yield from _birth(calls, each, snapshot)
    for each in silent:
        yield from _queue(calls, each)
    for each in sorted(
        silent, key=lambda item: not is_local(item.name)
    ):  # a Local half before the phone behind it
        yield from _dial(calls, each, snapshot)
    for each in silent:
        yield from _state(calls, each)
    for each in silent:
        yield from _bridge(calls, each, snapshot)


def _unheard(calls: Calls, each: Listed, snapshot: Snapshot) -> bool:
    """Nothing newer than the list was heard of it, and it has not hung up."""
    if not each.uniqueid or not each.name or each.uniqueid in calls.gone or each.uniqueid in calls.missed:
        return False
    known = calls.channels.get(each.uniqueid)
    return known is None or known.heard is None or known.heard < snapshot.watermark


def _event(name: str, each: Listed, **more: str) -> Event:
    fields = {
        "Event": name,
        "Channel": each.name,
        "Uniqueid": each.uniqueid,
        "Linkedid": each.linkedid,
        "CallerIDNum": each.number,
        "CallerIDName": each.caller_name,
        "AccountCode": each.accountcode,
        "Context": each.context,
        "Exten": each.exten,
    }
    return Event(seq=1, at=None, received_at=None, name=name, fields={**fields, **more})


def _birth(calls: Calls, each: Listed, snapshot: Snapshot) -> Iterator[Unheard]:
    if each.uniqueid not in calls.channels:
        called = _is_called(each, snapshot) or each.application == listed.IS_ORIGINATED
        born_in = "0" if called else "4" if each.state == UP else each.state
        yield Unheard(_event("Newchannel", each, ChannelState=born_in), each.age)
        if each.did and not called:
            yield Unheard(_event("VarSet", each, Variable="DID", Value=each.did))


def _queue(calls: Calls, each: Listed) -> Iterator[Unheard]:
    known = calls.channels.get(each.uniqueid)
    if known is not None and each.queue and known.queue != each.queue:
        yield Unheard(_event("QueueCallerJoin", each, Queue=each.queue))


def _dial(calls: Calls, each: Listed, snapshot: Snapshot) -> Iterator[Unheard]:
    known = calls.channels.get(each.uniqueid)
    if known is None or known.called_leg or known.dialled_by is not None:
        return
    if each.state == "0" and each.age == 0 and not known.reconstructed:
        return  # its birth was heard this moment: its dial is still to come
    dest = {"DestChannel": each.name, "DestUniqueid": each.uniqueid, "DestLinkedid": each.linkedid}
    if each.application == listed.IS_ORIGINATED:
        event = Event(
            seq=1, at=None, received_at=None, name="DialBegin", fields={"Event": "DialBegin", **dest}
        )
        yield Unheard(event, each.age)
    elif _is_called(each, snapshot):
        dialling = _who_dials(each, snapshot)
        if dialling is not None:
            yield Unheard(_event("DialBegin", dialling, **dest), each.age)


def _is_called(each: Listed, snapshot: Snapshot) -> bool:
    """An outgoing line, or one that runs a subroutine before it is connected: a Dial of its call names it (40e)."""
    if each.name.endswith(";2"):
        return False  # the half of a Local pair that dials
    if listed.is_dialled(each):
        return True
    joined = each.linkedid != each.uniqueid and is_real(each.name)
    return joined and any(
        item.application == "Dial" and item.linkedid == each.linkedid and listed.names(item, each.name)
        for item in snapshot.channels.values()
    )


def _who_dials(each: Listed, snapshot: Snapshot) -> Listed | None:
    own = {each.name, other_half(each.name)}
    others = [item for item in snapshot.channels.values() if item.name not in own]
    call = [item for item in others if item.linkedid == each.linkedid and item.application in listed.DIALS]
    named = [item for item in call if listed.names(item, each.name)]
    bridged = [item for item in others if each.bridge and item.bridge == each.bridge and is_real(item.name)]
    return _best(each, named) or _best(each, call) or _best(each, bridged)


def _best(each: Listed, found: Iterable[Listed]) -> Listed | None:
    """One in the same bridge, if there are several: two calls by one trunk."""

    def apart(item: Listed) -> tuple[bool, bool]:
        return not each.bridge or item.bridge != each.bridge, item.age < each.age

    return min(found, key=apart, default=None)


def _state(calls: Calls, each: Listed) -> Iterator[Unheard]:
    known = calls.channels.get(each.uniqueid)
    if known is not None and each.state in {RINGING, UP} and str(known.state) != each.state:
        yield Unheard(_event("Newstate", each, ChannelState=each.state))


def _bridge(calls: Calls, each: Listed, snapshot: Snapshot) -> Iterator[Unheard]:
    known = calls.channels.get(each.uniqueid)
    if known is None or (known.bridge or "") == each.bridge:
        return
    if not each.bridge:
        yield Unheard(_event("BridgeLeave", each, BridgeUniqueid=known.bridge or ""))
    else:
        yield Unheard(_event("BridgeEnter", each, BridgeUniqueid=each.bridge, **_kind(snapshot, each.bridge)))


def _kind(snapshot: Snapshot, bridge: str) -> dict[str, str]:
    """Without the list of bridges, one of three or more is taken for a conference."""
    if bridge in snapshot.bridges:
        return snapshot.bridges[bridge]
    members = sum(each.bridge == bridge for each in snapshot.channels.values())
    return {"BridgeType": "basic" if members < 3 else "base"}
