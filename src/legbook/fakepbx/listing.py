"""Answers to the actions that ask for a list: what the events played so far tell, framed as Asterisk frames it.

Of the filters that Asterisk has, these are known: Channel (Status), Queue and Member (QueueStatus), ParkingLot.
"""

from collections.abc import Iterable, Iterator

from legbook.fakepbx.actions import Action
from legbook.fakepbx.lists import Item, items, variables
from legbook.fakepbx.session import Session
from legbook.fakepbx.switch import Handler, Switch


async def core_show_channels(switch: Switch, session: Session, action: Action) -> None:
    found = items.core_show_channels(switch.live, switch.clock.now(), switch.settings.major)
    _begin(session, action, "Channels will follow")
    _end(session, action, "CoreShowChannelsComplete", _send(session, action, found))


async def status(switch: Switch, session: Session, action: Action) -> None:
    wanted, uniqueid = action.get("Channel"), switch.channels.find(action.get("Channel"))
    if wanted and uniqueid is None:
        session.error(action, "No such channel")
        return
    asked = variables.names(action.get("Variables"))
    everybody = items.status(switch.live, switch.clock.now(), asked)
    found = (item for item in everybody if not wanted or item["Uniqueid"] == uniqueid)
    _begin(session, action, "Channel status will follow")
    count = _send(session, action, found, id_last=True)
    _end(session, action, "StatusComplete", count, [("Items", str(count))])


async def bridge_list(switch: Switch, session: Session, action: Action) -> None:
    _begin(session, action, "Bridge listing will follow")
    count = _send(session, action, items.bridge_list(switch.live, switch.settings.major))
    _end(session, action, "BridgeListComplete", count)


async def bridge_info(switch: Switch, session: Session, action: Action) -> None:
    uniqueid = action.get("BridgeUniqueid")
    bridge = switch.live.bridges.live.get(uniqueid)
    if not uniqueid:
        session.error(action, "BridgeUniqueid must be provided")
    elif bridge is None:
        session.error(action, "Specified BridgeUniqueid not found")
    else:
        _begin(session, action, "Bridge channel listing will follow")
        count = _send(session, action, items.bridge_info(switch.live, uniqueid))
        state = bridge.state(switch.live.within(bridge))
        _end(session, action, "BridgeInfoComplete", count, state.items())


async def queue_status(switch: Switch, session: Session, action: Action) -> None:
    queue, member = action.get("Queue").lower(), action.get("Member")
    found = (
        item
        for item in items.queue_status(switch.live, switch.clock.now())
        if queue in {"", str(item["Queue"]).lower()}
        and (not member or item["Event"] != "QueueMember" or member in {item["Name"], item["Location"]})
    )
    _begin(session, action, "Queue status will follow")
    _end(session, action, "QueueStatusComplete", _send(session, action, found, id_last=True))


async def parked_calls(switch: Switch, session: Session, action: Action) -> None:
    """A lot of which no event has told is one that there is not, apart from the one that there always is."""
    lot, everybody = action.get("ParkingLot"), items.parked_calls(switch.live, switch.clock.now())
    found = [item for item in everybody if lot in {"", item["Parkinglot"]}]
    if not found and lot not in {"", "default"}:
        session.error(action, "Requested parking lot could not be found.")
        return
    _begin(session, action, "Parked calls will follow")
    count = _send(session, action, found, id_last=True)
    _end(session, action, "ParkedCallsComplete", count, [("Total", str(count))])


def _begin(session: Session, action: Action, message: str) -> None:
    session.reply(action, "Success", ("EventList", "start"), ("Message", message))


def _send(session: Session, action: Action, found: Iterable[Item], *, id_last: bool = False) -> int:
    """How many there were."""
    sent = list(found)
    for item in sent:
        (_, event), *headers = _lines(item)
        session.item(action, event, headers, id_last=id_last)
    return len(sent)


def _lines(item: Item) -> Iterator[tuple[str, str]]:
    for name, value in item.items():
        for text in [value] if isinstance(value, str) else value:
            yield name, text


def _end(
    session: Session, action: Action, event: str, count: int, more: Iterable[tuple[str, str]] = ()
) -> None:
    session.item(action, event, [("EventList", "Complete"), ("ListItems", str(count)), *more])


LIST_HANDLERS: dict[str, Handler] = {
    "coreshowchannels": core_show_channels,
    "status": status,
    "bridgelist": bridge_list,
    "bridgeinfo": bridge_info,
    "queuestatus": queue_status,
    "parkedcalls": parked_calls,
}
