"""Calls that an Originate begins: which recording is played for which endpoint and exten, and with which ids."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from legbook.fakepbx.identities import Identity, Kind, Mint
from legbook.fakepbx.player import Round
from legbook.fakepbx.recording import Recording


@dataclass(frozen=True, slots=True)
class Click:
    """What an Originate asks for: its own id, and the uniqueid of the first channel or ""."""

    action_id: str
    channel_id: str


class Clicks:
    """Recordings of an Originate; several for the same endpoint and exten take turns."""

    def __init__(self, recordings: Iterable[Recording]) -> None:
        self.recordings = list(recordings)

    def take(self, endpoint: str, exten: str) -> Recording | None:
        """The one that was used longest ago; None: this PBX has no such phone."""
        for recording in self.recordings:
            if dialled(recording) == (endpoint, exten):
                self.recordings.remove(recording)
                self.recordings.append(recording)
                return recording
        return None


def dialled(recording: Recording) -> tuple[str, str] | None:
    """(endpoint, exten) of the Originate that this is a recording of; None if there was none."""
    for event in recording.templates:
        if event.name == "OriginateResponse":
            return re.sub("-[0-9a-f]{8}(;[12])?$", "", event.get("Channel")), event.get("Exten")
    return None


def asked(recording: Recording, number: int, now: int, mint: Mint, click: Click) -> Round:
    """A round that an Originate begins now: its first channel has the id that was asked for."""
    first = next(event for event in recording.templates if event.name == "Newchannel")
    start = now - first.offset
    given = {Identity(Kind.UNIQUEID, first.get("Uniqueid")): click.channel_id.encode()}
    values = [
        given.get(identity)
        or (click.action_id.encode() if identity.kind is Kind.ACTION else mint.fresh(identity, start + used))
        for identity, used in zip(recording.identities, recording.first_used, strict=True)
    ]
    return Round(number, recording, start, recording.templates, [b"", *values])
