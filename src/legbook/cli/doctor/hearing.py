"""What an AMI user hears. No action tells its read rights: an event proves its classes, silence nothing. Pure."""

from collections.abc import Iterator
from typing import Final

from legbook.cli.doctor.finding import Finding, fail, ok, warn
from legbook.cli.doctor.guest import Guest, Heard
from legbook.cli.doctor.rights import INGEST, RELOAD, Role, look

WANTED: Final = frozenset({"call", "dialplan"})  # any call makes both; agent is made by queues only


def hearing(guest: Guest, seconds: float) -> Iterator[Finding]:
    """Of the ingest user, after so long or as soon as it heard what is wanted."""
    heard, wait = guest.heard, f"{seconds:.0f} s"
    if not heard.booted:
        yield warn(
            "ingest: no FullyBooted after the login: read = system is missing, or Asterisk still boots",
            look(INGEST, guest),
        )
    missing = sorted(WANTED - heard.classes)
    if "call" in missing:
        up = f"{guest.channels} channels up" if guest.channels else "no channel up"
        yield warn(
            f"ingest: no call event in {wait}, {up}: a quiet PBX, or read = call is missing. Whether events carry "
            "their time (timestampevents) cannot be seen either",
            f"make a call and run this again; {look(INGEST, guest)}",
        )
    elif missing:
        yield warn(
            f"ingest: call events, but none of class dialplan in {wait}: without them didnumber stays empty",
            look(INGEST, guest),
        )
    else:
        yield ok(f"ingest: hears {', '.join(sorted(heard.classes))}")
    yield from _stamps(heard)


def _stamps(heard: Heard) -> Iterator[Finding]:
    if heard.unstamped and not heard.stamped:
        yield warn(
            "events carry no Timestamp: legbook has only its own times, and late ones",
            f"timestampevents = yes in [general] of manager.conf, then: {RELOAD}",
        )
    elif heard.stamped:
        yield ok("events carry their time (timestampevents = yes)")


def confirming(role: Role, guest: Guest, ingest: Guest | None) -> Finding:
    """Of the gateway user: a command is `done` when it hears the Hangup."""
    if "Hangup" in guest.heard.names:
        return ok("gateway: hears Hangup")
    if ingest is not None and "Hangup" in ingest.heard.names:
        return fail(
            "gateway: did not hear a Hangup that ingest heard: commands would end as unknown, no_effect",
            f"read = call and eventfilter = Event: Hangup; {look(role, guest)}",
        )
    return ok("gateway: no call ended meanwhile, so whether it hears Hangup (read = call) could not be seen")
