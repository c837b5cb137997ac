"""The channel of an event, made from the snapshot that Asterisk puts into it if we did not see its birth.

1. No more than 50,000 channels of a PBX are followed: beyond that the oldest is given up.
"""

from typing import Final

from legbook.ami.message import first
from legbook.ami.names import known
from legbook.calls import corrections
from legbook.calls.extens import usable
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event

MOST_CHANNELS: Final = 50_000


def seen(step: Step, event: Event, side: str = "") -> Channel:
    """The channel of an event (`side` "" or "Dest"), made from its snapshot if it was not known."""
    uniqueid = first(event.fields, f"{side}Uniqueid")
    channel = step.calls.channels.get(uniqueid)
    if channel is None:
        _make_room(step)
        channel = _first_seen(event, side, uniqueid)
        channel.heard, channel.reconstructed = step.now, step.reconstructing
        step.calls.channels[uniqueid] = channel
        if channel.local:
            step.calls.local_halves[channel.name] = uniqueid
    channel.linkedid = first(event.fields, f"{side}Linkedid") or channel.linkedid
    return channel


def _make_room(step: Step) -> None:
    """Channels whose Hangup never comes must not fill the memory. A snapshot tells which of them live."""
    channels = step.calls.channels
    if len(channels) >= MOST_CHANNELS:
        oldest = next(iter(channels.values()))
        step.calls.suspect_since = step.now
        step.surprise(oldest.uniqueid, "more channels than can be followed: the oldest is given up")
        corrections.vanish(step, oldest, step.now, "sightings.1")


def _first_seen(event: Event, side: str, uniqueid: str) -> Channel:
    fields = event.fields
    exten, context = first(fields, f"{side}Exten"), first(fields, f"{side}Context")
    return Channel(
        uniqueid=uniqueid,
        name=first(fields, f"{side}Channel"),
        number=known(first(fields, f"{side}CallerIDNum")),
        caller_name=known(first(fields, f"{side}CallerIDName")),
        accountcode=first(fields, f"{side}AccountCode"),
        first_exten=exten,
        first_context=context,
        exten=usable(exten, context) or "",
    )


def hear(step: Step, uniqueids: tuple[str, str]) -> None:
    """These channels were alive just now: no snapshot from before says otherwise."""
    for uniqueid in uniqueids:
        channel = step.calls.channels.get(uniqueid)
        if channel is not None:
            channel.heard, channel.absent_at = step.now, None
