"""The items of list answers as Asterisk 16 and 22 send them: headers and their order, and the order of the items.

Without an ActionID, which stands behind Event in some and last in others. Status says what a channel is, the other
lists what was published of it last: a phone that a queue has begun to call has its application in Status only (12).
"""

from collections.abc import Iterator, Sequence

from legbook.fakepbx.lists import order, variables
from legbook.fakepbx.lists.channels import DOWN, Channel
from legbook.fakepbx.lists.live import Live
from legbook.fakepbx.lists.queues import entry

Item = dict[str, str | list[str]]
# Told by no event: as in every recording of phones, and no pickup groups
_FORMATS = {
    "Nativeformats": "(ulaw)", "Readformat": "ulaw", "Readtrans": "", "Writeformat": "ulaw", "Writetrans": "",
    "Callgroup": "0", "Pickupgroup": "0",
}  # fmt: skip


def core_show_channels(live: Live, now: int, major: int) -> Iterator[Item]:
    place = order.channels if major > 16 else order.cached_channels
    for channel in sorted(live.channels.live.values(), key=lambda each: place(each.name)):
        minutes, seconds = divmod(channel.seconds(now), 60)
        application, data = channel.application
        yield {
            "Event": "CoreShowChannel",
            **channel.fields,
            "Application": application,
            "ApplicationData": data,
            "Duration": f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}",
            "BridgeId": channel.bridge,
        }


def status(live: Live, now: int, wanted: Sequence[str] = ()) -> Iterator[Item]:
    """`wanted`: names of variables."""
    for channel in sorted(live.channels.live.values(), key=lambda each: order.channels(each.name)):
        told = list(variables.values(live, channel.fields["Uniqueid"], wanted))
        asked: Item = {"Variable": told} if told else {}
        yield {
            "Event": "Status",
            "Privilege": "Call",
            **channel.fields,
            "Type": channel.technology,
            "DNID": channel.dialled,
            **_now(channel),
            **_FORMATS,
            "Seconds": str(channel.seconds(now)),
            **asked,
        }


def _now(channel: Channel) -> dict[str, str]:
    """What runs no application has `(null)` here, and nothing in CoreShowChannels (09a)."""
    fields, (application, data) = channel.fields, channel.application
    number, name = fields["ConnectedLineNum"], fields["ConnectedLineName"]
    if channel.queued and fields["ChannelState"] == DOWN:
        number, name = channel.queued
        application, data = "AppQueue", "(Outgoing Line)"
    return {
        "EffectiveConnectedLineNum": number,
        "EffectiveConnectedLineName": name,
        "TimeToHangup": "0",
        "BridgeID": channel.bridge,
        "Application": application or "(null)",
        "Data": data if application else "(null)",
    }


def bridge_list(live: Live, major: int) -> Iterator[Item]:
    for _, bridge in sorted(live.bridges.live.items(), key=lambda each: _bridge_place(each[0], major)):
        yield {"Event": "BridgeListItem", **bridge.state(live.within(bridge))}


def _bridge_place(uniqueid: str, major: int) -> tuple[int, str]:
    return (0, uniqueid) if major > 16 else (order.cached_bridges(uniqueid), "")


def bridge_info(live: Live, uniqueid: str) -> Iterator[Item]:
    """Of a bridge that there is; who announces in a conference is never told of."""
    for channel in live.within(live.bridges.live[uniqueid]):
        yield {"Event": "BridgeInfoChannel", **channel.fields}


def queue_status(live: Live, now: int) -> Iterator[Item]:
    channels = live.channels.live
    for name, queue in sorted(live.queues.live.items(), key=lambda each: order.queues(each[0])):
        yield {**queue.params(name)}
        for _, member in sorted(queue.members.items(), key=lambda each: order.members(each[0])):
            yield {**member}
        for position, (uniqueid, since) in enumerate(queue.callers, 1):
            if uniqueid in channels:
                yield {**entry(name, position, channels[uniqueid].fields, since, now)}


def parked_calls(live: Live, now: int) -> Iterator[Item]:
    for (lot, space), parked in sorted(live.parking.live.items()):
        if channel := live.channels.live.get(parked.uniqueid):
            yield {**parked.item(lot, space, channel.fields, now)}
