"""What CDR(start,u) and CDR(answer,u) of a live channel say: they are those of its newest record, not of the channel.

A channel gets a record at birth and another one whenever it dials somebody else, comes back to the dialplan or joins
another talk. So a phone that was called has its own birth and answer there until it leaves its first talk, and a
caller has not: in 06 the answer is 0 all through the talk (the phone that was rung last never answered), in 01f both
times are those of the dial. Read from 150 recordings of 16 and 22 that asked for both five times a second.

Events come some milliseconds after the records. What the dialplan does to records (ForkCDR, ResetCDR) is not known.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from legbook.ami.message import Fields, first
from legbook.fakepbx.lists.channels import UP
from legbook.fakepbx.lists.records import Chain, Record, Stage

_CHANGES = frozenset(
    {"Newstate", "Newexten", "NewCallerid", "NewConnectedLine", "NewAccountCode", "BridgeEnter"}
)


@dataclass(slots=True)
class Records:
    """The chains of the live channels by uniqueid."""

    chains: dict[str, Chain] = field(default_factory=dict)

    def times(self, uniqueid: str) -> tuple[int, int]:
        """Start and answer, 0 without one."""
        record = self.chains[uniqueid].records[-1]
        return record.start, record.answer

    def apply(self, event: Fields, moment: int) -> None:
        name, uniqueid = first(event, "Event"), first(event, "Uniqueid")
        if name == "Newchannel":
            chain = Chain(moment, first(event, "ChannelState") == UP, moment)
            chain.add(moment)
            self.chains[uniqueid] = chain
        elif name == "Hangup":
            self.chains.pop(uniqueid, None)
            for chain in self.chains.values():
                chain.loses(uniqueid)
        elif name in {"DialBegin", "DialEnd"}:
            self._dial(name, event, moment)
        elif known := self.chains.get(uniqueid):
            self._change(name, known, event, moment)

    def _change(self, name: str, chain: Chain, event: Fields, moment: int) -> None:
        # 44: the channel is published with the variables that say who else is in the bridge
        if name in _CHANGES or first(event, "Variable") == "BRIDGEPEER":
            chain.changes(event, moment)
        if name == "BridgeEnter":
            self._enter(chain, event, moment)
        elif name == "BridgeLeave":
            bridge, uniqueid = first(event, "BridgeUniqueid"), first(event, "Uniqueid")
            chain.leaves(bridge)
            for other in self.chains.values():
                if any(record.peer == uniqueid for record in other.within(bridge)):
                    other.told = moment  # 09a: a change for who is left behind too

    def _dial(self, name: str, event: Fields, moment: int) -> None:
        """Without a caller the phone itself has the record."""
        caller, peer = first(event, "Uniqueid"), first(event, "DestUniqueid")
        if not (chain := self.chains.get(caller or peer)):
            return
        chain.told = moment
        if name == "DialEnd":
            chain.dialled(peer, first(event, "DialStatus"))
            return
        chain.dials(peer if caller else "", moment)
        if caller and (called := self.chains.get(peer)):
            called.called = True

    def _enter(self, chain: Chain, event: Fields, moment: int) -> None:
        uniqueid, bridge = first(event, "Uniqueid"), first(event, "BridgeUniqueid")
        if first(event, "BridgeType") == "parking":
            chain.parks(moment)
        elif first(event, "BridgeTechnology") != "holding_bridge":
            others = {
                uid: other
                for uid, other in sorted(self.chains.items())
                if other is not chain and any(other.within(bridge))
            }
            entering = chain.enters(moment)
            for record in entering:
                if record.stage is Stage.SINGLE:
                    record.peer = next(self._candidates(chain, bridge, others), "")
                record.stage, record.bridge = Stage.TALKS, bridge
            _pair(uniqueid, chain, entering[0], others)

    def _candidates(self, chain: Chain, bridge: str, others: dict[str, Chain]) -> Iterator[str]:
        """Who is there, and whom those talk to."""
        for uid, other in others.items():
            for whom in (uid, *(record.peer for record in other.within(bridge))):
                found = self.chains.get(whom)
                if found and found is not chain and _leads(chain, found):
                    yield whom


def _pair(uniqueid: str, chain: Chain, record: Record, others: dict[str, Chain]) -> None:
    """With everybody who is there and is not its peer already."""
    for uid, other in others.items():
        theirs = next(other.within(record.bridge))
        if uid == record.peer:
            continue
        if _leads(chain, other):
            chain.talks(uid, record.bridge)
        elif theirs.peer in {"", uniqueid}:
            theirs.peer = uniqueid
        else:
            other.talks(uniqueid, record.bridge)


def _leads(one: Chain, other: Chain) -> bool:
    """Whose record it is: never that of a phone that was called by somebody, else that of the older channel."""
    return one.born <= other.born if one.called == other.called else other.called
