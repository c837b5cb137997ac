"""A PBX of the fleet file, as both of its users find it. They are there at once: one proves what the other hears."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from legbook.cli.doctor import asterisk, reach
from legbook.cli.doctor.finding import Finding, Findings, fail, ok, warn
from legbook.cli.doctor.guest import Guest
from legbook.cli.doctor.hearing import WANTED, confirming, hearing
from legbook.cli.doctor.rights import INGEST, Role, gateway_of, writing
from legbook.cli.doctor.visit import Visit
from legbook.runtime.amilink import LinkError
from legbook.runtime.fleet import FleetError, Pbx

_CONNECT: Final = 5.0
_OFF: Final = timedelta(seconds=2)


async def check(name: str, pbx: Pbx, seconds: float) -> Findings:
    """Listens so long, or until what must be heard was heard."""
    if trouble := await _reach(pbx):
        yield trouble
        return
    refusals, guests = await _visit(name, pbx, seconds)
    for finding in (*refusals, *judged(guests, seconds)):
        yield finding


async def _reach(pbx: Pbx) -> Finding | None:
    try:
        async with asyncio.timeout(_CONNECT):
            _, writer = await asyncio.open_connection(pbx.host, pbx.port)
    except OSError as error:  # TimeoutError is one
        return reach.unreachable(pbx, error)
    writer.transport.abort()
    return None


async def _visit(name: str, pbx: Pbx, seconds: float) -> tuple[list[Finding], Mapping[Role, Guest]]:
    roles, findings, visits = (INGEST, gateway_of(pbx)), list[Finding](), dict[Role, Visit]()
    try:
        entered = await asyncio.gather(*(_enter(name, pbx, role) for role in roles))
        for role, outcome in zip(roles, entered, strict=True):
            if isinstance(outcome, Visit):
                visits[role] = outcome
            else:
                findings.append(outcome)
        if INGEST in visits:
            await visits[INGEST].listen(seconds, WANTED)
        for visit in visits.values():
            await visit.leave()
    except LinkError as error:
        findings.append(
            fail(f"the connection broke: {error}", "run this again; the PBX's log says why it went")
        )
    finally:
        for visit in visits.values():
            visit.close()
    return findings, {role: visit.guest for role, visit in visits.items()}


async def _enter(name: str, pbx: Pbx, role: Role) -> Visit | Finding:
    if role is not INGEST and pbx.gateway is None:
        return ok("no gateway user: this PBX takes no commands")
    try:
        login = role.login(name, pbx)
    except FleetError as error:
        return fail(str(error), "the fleet file, or what it points to")
    try:
        return await Visit.begin(pbx, login)
    except LinkError as error:
        return reach.unwelcome(pbx, role.name, login[0], error)


def judged(guests: Mapping[Role, Guest], seconds: float) -> Iterator[Finding]:
    """Of who got in."""
    ingest = guests.get(INGEST)
    for role, guest in guests.items():
        yield ok(f"{role.name}: logged in as {guest.username} ({guest.banner})")
        yield from writing(role, guest)
        if role is not INGEST:
            yield confirming(role, guest, ingest)
            continue
        yield from hearing(guest, seconds)
        yield from _clock(guest)
        if guest.version is not None:
            yield asterisk.judged(guest.version)


def _clock(guest: Guest) -> Iterator[Finding]:
    if guest.offset is None:
        yield ok("the PBX's clock cannot be seen: Ping is answered without a Timestamp")
        return
    seconds, doubt = guest.offset.total_seconds(), guest.doubt.total_seconds()
    side = "ahead of" if seconds > 0 else "behind"
    text = f"the PBX's clock is {abs(seconds):.1f} s {side} ours (give or take {doubt:.1f} s)"
    if abs(guest.offset) - guest.doubt > _OFF:
        yield warn(
            f"{text}: times of calls are as wrong as it is", "set both by NTP: timedatectl set-ntp true"
        )
    else:
        yield ok(text)
