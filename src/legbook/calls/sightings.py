"""The channel of an event, made from the snapshot that Asterisk puts into it if we did not see its birth."""

from legbook.ami.message import first
from legbook.ami.names import known
from legbook.calls.extens import usable
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def seen(step: Step, event: Event, side: str = "") -> Channel:
    """The channel of an event (`side` "" or "Dest"), made from its snapshot if it was not known."""
    uniqueid = first(event.fields, f"{side}Uniqueid")
    channel = step.calls.channels.get(uniqueid)
    if channel is None:
        channel = _first_seen(event, side, uniqueid)
        channel.heard = step.now
        step.calls.channels[uniqueid] = channel
        if channel.local:
            step.calls.local_halves[channel.name] = uniqueid
    channel.linkedid = first(event.fields, f"{side}Linkedid") or channel.linkedid
    return channel


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
