"""Which bridges there are and who is in them, kept from events.

Unknown are a bridge made before the first event (26: the parking lot's, which stays for ever) and MuteAudio (19b),
which keeps two phones from native_rtp as a recorder does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from legbook.ami.message import Fields, first
from legbook.fakepbx.lists.channels import Channel

_STATE = (
    "BridgeUniqueid", "BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels",
    "BridgeVideoSourceMode",
)  # fmt: skip
_RTP = frozenset({"SIP", "PJSIP"})


@dataclass(slots=True)
class Bridge:
    """`fields`: as in the newest event of it; its BridgeNumChannels counts the announcer of a conference too (18).

    `members`: uniqueids.
    """

    fields: dict[str, str]
    members: set[str] = field(default_factory=set)

    def state(self, members: Sequence[Channel]) -> dict[str, str]:
        """As it is now. No event tells a change of technology: it follows from who is in a basic bridge (26, 16a)."""
        if self.fields["BridgeType"] != "basic" or len(members) > 2:
            return self.fields
        direct = len(members) == 2 and all(m.technology in _RTP and not m.listeners for m in members)
        return {**self.fields, "BridgeTechnology": "native_rtp" if direct else "simple_bridge"}


@dataclass(slots=True)
class Bridges:
    """By uniqueid."""

    live: dict[str, Bridge] = field(default_factory=dict)

    def apply(self, event: Fields) -> None:
        name, uniqueid = first(event, "Event"), first(event, "BridgeUniqueid")
        if name == "BridgeDestroy":
            self.live.pop(uniqueid, None)
        elif name in {"BridgeCreate", "BridgeEnter", "BridgeLeave"}:
            fields = {header: first(event, header) for header in _STATE}
            bridge = self.live.setdefault(uniqueid, Bridge(fields))
            bridge.fields = fields
            if name == "BridgeEnter":
                bridge.members.add(first(event, "Uniqueid"))
            elif name == "BridgeLeave":
                bridge.members.discard(first(event, "Uniqueid"))
