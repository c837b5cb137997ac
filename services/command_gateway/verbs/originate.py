"""`originate`: one phone rings, and what is dialled for it is an exten of the dialplan, never an application.

Endpoints and contexts are those of the fleet file's policy. The command's id becomes the uniqueid of the first
channel: Asterisk itself refuses a second one (channel.c: does_id_conflict), and nobody has to guess which call it is.
"""

import re

from command_gateway.refusals import RefusedError
from command_gateway.verbs.plan import Plan, writable
from legbook.contracts.commands import Originate, OriginateArgs
from legbook.runtime.fleet import Policy

_ANY = "[A-Za-z0-9_.-]*"  # what * stands for: neither another technology nor the trunk behind an @


def plan(command: Originate, policy: Policy) -> Plan:
    """RefusedError: the policy has no such endpoint or context."""
    args = command.args
    _check(args, policy, command.pbx)
    action = (
        ("Action", "Originate"),
        ("Channel", args.endpoint),
        ("Context", args.context),
        ("Exten", args.exten),
        ("Priority", "1"),
        ("Timeout", str(args.ring * 1000)),
        *_caller(args),
        ("ChannelId", command.command_id),
        ("Async", "true"),
    )
    return Plan(
        (writable(action, "args"),),
        (command.command_id,),
        takes=float(args.ring),
        no="not_reached",
        done=f"{args.endpoint} has answered",
    )


def _caller(args: OriginateArgs) -> tuple[tuple[str, str], ...]:
    if not args.caller_name and not args.caller_number:
        return ()
    return (("CallerID", f'"{args.caller_name}" <{args.caller_number}>'),)


def _check(args: OriginateArgs, policy: Policy, pbx: str) -> None:
    if args.context not in policy.contexts:
        raise RefusedError("not_allowed", f"args.context: {_missing(args.context, pbx, 'contexts')}")
    technology, _, rest = args.endpoint.partition("/")
    if technology == "Local":
        context = rest.partition("@")[2]
        if context not in policy.contexts:
            raise RefusedError("not_allowed", f"args.endpoint: {_missing(context, pbx, 'contexts')}")
    elif not any(_fits(pattern, args.endpoint) for pattern in policy.endpoints):
        raise RefusedError("not_allowed", f"args.endpoint: {_missing(args.endpoint, pbx, 'endpoints')}")


def _missing(what: str, pbx: str, where: str) -> str:
    return f"{what} is not in pbx.{pbx}.policy.{where} of the fleet file"


def _fits(pattern: str, endpoint: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", _ANY), endpoint) is not None
