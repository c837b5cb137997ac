"""The state of a PBX as its events tell it: channels, bridges, queues, parking lots, records."""

from dataclasses import dataclass, field

from legbook.ami.message import Fields, first
from legbook.fakepbx.lists.bridges import Bridge, Bridges
from legbook.fakepbx.lists.cdr import Records
from legbook.fakepbx.lists.channels import Channel, Channels
from legbook.fakepbx.lists.parking import Parking
from legbook.fakepbx.lists.queues import Queues


@dataclass(slots=True)
class Live:
    """Fed with events in their order; a moment is in microseconds, of whatever clock."""

    channels: Channels = field(default_factory=Channels)
    bridges: Bridges = field(default_factory=Bridges)
    queues: Queues = field(default_factory=Queues)
    parking: Parking = field(default_factory=Parking)
    records: Records = field(default_factory=Records)

    def apply(self, event: Fields, moment: int) -> None:
        """An item of a list is no event: a ParkedCall among them is told from one by its ActionID only."""
        if "ActionID" in event and first(event, "Event") != "OriginateResponse":
            return
        self.channels.apply(event, moment)
        self.bridges.apply(event)
        self.queues.apply(event, moment)
        self.parking.apply(event, moment)
        self.records.apply(event, moment)

    def within(self, bridge: Bridge) -> list[Channel]:
        """Its members in the order of their uniqueids, as Asterisk lists them."""
        live = self.channels.live
        return [live[uniqueid] for uniqueid in sorted(bridge.members) if uniqueid in live]
