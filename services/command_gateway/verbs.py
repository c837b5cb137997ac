"""A command and the leg it is about -> the AMI actions. Pure. Nothing else than this list can be asked of a PBX."""

import re
from dataclasses import dataclass

from command_gateway.refusals import RefusedError
from legbook.ami.encode import BadActionError, encode
from legbook.contracts.commands import Command
from legbook.contracts.legs import Leg

# A slash at the front, also behind blanks, is a pattern to Asterisk: it would hang up whatever matches
_PLAIN = re.compile(r"[A-Za-z0-9._:@+-][A-Za-z0-9._:@+/-]*")
Action = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`actions` go out in one write; when all channels of `uniqueids` have hung up it had its effect."""

    actions: tuple[Action, ...]
    uniqueids: tuple[str, ...]


NOTHING = Plan((), ())


def has_side(command: Command, leg: Leg) -> bool:
    """The row of a caller has a phone as soon as one is rung."""
    return any(_sides(command, leg))


def plan(command: Command, leg: Leg) -> Plan:
    """RefusedError if the leg has no such side."""
    uniqueids = tuple(uid for uid in _sides(command, leg) if uid)
    if not uniqueids:
        raise RefusedError("bad_field", f"args.side: leg {leg.leg_id} has no {command.args.side} channel")
    actions = tuple(_hangup(uid) for uid in uniqueids)
    return Plan(actions, uniqueids)


def _sides(command: Command, leg: Leg) -> tuple[str, ...]:
    """By uniqueid: a channel name may be somebody else's by now. The src of a row is its peer, if it has one."""
    src = leg.peer.uid if leg.peer else leg.srcuid
    return {"src": (src,), "dst": (leg.dstuid,), "both": (leg.dstuid, src)}[command.args.side]


def _hangup(uniqueid: str) -> Action:
    if not _PLAIN.fullmatch(uniqueid):
        raise RefusedError("not_allowed", f"uniqueid {uniqueid[:40]!r} cannot be named to Asterisk")
    action = (("Action", "Hangup"), ("Channel", uniqueid))
    try:
        encode(action)
    except BadActionError as error:
        raise RefusedError("not_allowed", f"uniqueid: {error}") from None
    return action
