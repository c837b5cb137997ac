"""`hangup`: each channel that is meant by its uniqueid; done when all of them are gone."""

import re

from command_gateway.refusals import RefusedError
from command_gateway.verbs.plan import Action, Plan, writable
from legbook.contracts.commands import Hangup
from legbook.contracts.legs import Leg

# A slash at the front, also behind blanks, is a pattern to Asterisk: it would hang up whatever matches
_PLAIN = re.compile(r"[A-Za-z0-9._:@+-][A-Za-z0-9._:@+/-]*")


def has_side(command: Hangup, leg: Leg) -> bool:
    """The row of a caller has a phone as soon as one is rung."""
    return any(_sides(command, leg))


def plan(command: Hangup, leg: Leg) -> Plan:
    """RefusedError if the leg has no such side."""
    uniqueids = tuple(uid for uid in _sides(command, leg) if uid)
    if not uniqueids:
        raise RefusedError("bad_field", f"args.side: leg {leg.leg_id} has no {command.args.side} channel")
    actions = tuple(_hangup(uid) for uid in uniqueids)
    return Plan(actions, uniqueids, gone=uniqueids, done=f"{len(uniqueids)} hung up")


def _sides(command: Hangup, leg: Leg) -> tuple[str, ...]:
    """By uniqueid: a channel name may be somebody else's by now. The src of a row is its peer, if it has one."""
    src = leg.peer.uid if leg.peer else leg.srcuid
    return {"src": (src,), "dst": (leg.dstuid,), "both": (leg.dstuid, src)}[command.args.side]


def _hangup(uniqueid: str) -> Action:
    if not _PLAIN.fullmatch(uniqueid):
        raise RefusedError("not_allowed", f"uniqueid {uniqueid[:40]!r} cannot be named to Asterisk")
    return writable((("Action", "Hangup"), ("Channel", uniqueid)), "uniqueid")
