"""Who waits in which queue and who serves it, kept from events.

Unknown are a queue or a member of which no event has told, and of a queue everything but its name and who waits: max,
strategy, service level, weight, and what it has counted since Asterisk began. A caller's priority is unknown too.
Those are what Asterisk has for a new queue.
"""

from dataclasses import dataclass, field

from legbook.ami.message import Fields, first
from legbook.fakepbx.moments import clock_seconds

# The headers of a QueueMember after Queue, and what the events about a member call them
_MEMBER = {
    "Name": "MemberName", "Location": "Interface", "StateInterface": "StateInterface",
    "Membership": "Membership", "Penalty": "Penalty", "CallsTaken": "CallsTaken", "LastCall": "LastCall",
    "LastPause": "LastPause", "LoginTime": "LoginTime", "InCall": "InCall", "Status": "Status",
    "Paused": "Paused", "PausedReason": "PausedReason", "Wrapuptime": "Wrapuptime",
}  # fmt: skip
_UNKNOWN = {
    "Holdtime": "0", "TalkTime": "0", "Completed": "0", "Abandoned": "0", "ServiceLevel": "0",
    "ServicelevelPerf": "0.0", "ServicelevelPerf2": "0.0", "Weight": "0",
}  # fmt: skip
_PARTIES = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")
_IN_CALL = {"AgentConnect": "1", "AgentComplete": "0"}  # 12: its QueueMemberStatus came before the talk


@dataclass(slots=True)
class Queue:
    """`members` by interface; `callers`: uniqueid and the moment of joining, first in line first."""

    members: dict[str, dict[str, str]] = field(default_factory=dict)
    callers: list[tuple[str, int]] = field(default_factory=list)

    def params(self, name: str) -> dict[str, str]:
        known = {"Queue": name, "Max": "0", "Strategy": "ringall", "Calls": str(len(self.callers))}
        return {"Event": "QueueParams", **known, **_UNKNOWN}


@dataclass(slots=True)
class Queues:
    """By name."""

    live: dict[str, Queue] = field(default_factory=dict)

    def apply(self, event: Fields, moment: int) -> None:
        name, queue, uniqueid = (first(event, header) for header in ("Event", "Queue", "Uniqueid"))
        if name == "QueueCallerJoin":
            place = int(first(event, "Position")) - 1
            self._queue(queue).callers.insert(place, (uniqueid, moment))
        elif name in {"QueueCallerLeave", "Hangup"}:  # who abandons is in line until it has left (14)
            for each in self.live.values():
                each.callers = [caller for caller in each.callers if caller[0] != uniqueid]
        elif name.startswith("QueueMember"):
            self._member(name, queue, event)
        elif name in _IN_CALL and (member := self._queue(queue).members.get(first(event, "Interface"))):
            member["InCall"] = _IN_CALL[name]

    def _member(self, name: str, queue: str, event: Fields) -> None:
        members, interface = self._queue(queue).members, first(event, "Interface")
        if name == "QueueMemberRemoved":
            members.pop(interface, None)
            return
        told = {header: first(event, source) for header, source in _MEMBER.items()}
        members[interface] = {"Event": "QueueMember", "Queue": queue, **told}

    def _queue(self, name: str) -> Queue:
        return self.live.setdefault(name, Queue())


def entry(queue: str, position: int, channel: dict[str, str], since: int, now: int) -> dict[str, str]:
    """A party that is not known is `unknown` here and `<unknown>` everywhere else (14)."""
    parties = {name: channel[name].replace("<unknown>", "unknown") for name in _PARTIES}
    return {
        "Event": "QueueEntry",
        "Queue": queue,
        "Position": str(position),
        "Channel": channel["Channel"],
        "Uniqueid": channel["Uniqueid"],
        **parties,
        "Wait": str(clock_seconds(since, now)),
        "Priority": "0",
    }
