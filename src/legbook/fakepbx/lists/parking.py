"""Who is parked where, kept from events."""

from dataclasses import dataclass, field

from legbook.ami.message import Fields, first
from legbook.fakepbx.lists.channels import SNAPSHOT
from legbook.fakepbx.moments import SECOND, clock_seconds

_HERE = frozenset(
    {"ParkedCall", "ParkedCallSwap"}
)  # swapped: another channel stands in the space from now on
_GONE = frozenset({"UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp"})


@dataclass(frozen=True, slots=True)
class Parked:
    """`since`: the moment of parking; `seconds`: how long one may stay from then on."""

    uniqueid: str
    since: int
    seconds: int
    parker: str

    def item(self, lot: str, space: int, channel: dict[str, str], now: int) -> dict[str, str]:
        waited = clock_seconds(self.since, now)
        return {
            "Event": "ParkedCall",
            **{f"Parkee{name}": channel[name] for name in SNAPSHOT},
            "ParkerDialString": self.parker,
            "Parkinglot": lot,
            "ParkingSpace": str(space),
            "ParkingTimeout": str(self.seconds - waited),
            "ParkingDuration": str(waited),
        }


@dataclass(slots=True)
class Parking:
    """By lot and space."""

    live: dict[tuple[str, int], Parked] = field(default_factory=dict)

    def apply(self, event: Fields, moment: int) -> None:
        name = first(event, "Event")
        if name == "Hangup":
            gone = first(event, "Uniqueid")
            self.live = {place: parked for place, parked in self.live.items() if parked.uniqueid != gone}
        elif name in _GONE:
            self.live.pop(_place(event), None)
        elif name in _HERE:
            self.live[_place(event)] = _parked(event, moment)


def _place(event: Fields) -> tuple[str, int]:
    return first(event, "Parkinglot"), int(first(event, "ParkingSpace"))


def _parked(event: Fields, moment: int) -> Parked:
    waited, left = int(first(event, "ParkingDuration")), int(first(event, "ParkingTimeout"))
    since = moment - waited * SECOND
    return Parked(first(event, "ParkeeUniqueid"), since, waited + left, first(event, "ParkerDialString"))
