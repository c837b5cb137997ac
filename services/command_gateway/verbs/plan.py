"""What a command comes down to: the actions, and how one knows that they had their effect."""

from dataclasses import dataclass

from command_gateway.refusals import RefusedError
from legbook.ami.encode import BadActionError, encode
from legbook.contracts.commands import Reason

Action = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`actions` go out in one write and name `uniqueids`.

    `gone`: channels that must have hung up. `takes`: seconds that the PBX may need for it, beside its usual ones.
    `no`: the reason when the PBX says so in the end. `done`: what was done, for people.
    """

    actions: tuple[Action, ...]
    uniqueids: tuple[str, ...]
    gone: tuple[str, ...] = ()
    takes: float = 0.0
    no: Reason = "ami_error"
    done: str = ""


NOTHING = Plan((), ())


def writable(action: Action, what: str) -> Action:
    """RefusedError if the one encoder would not write it."""
    try:
        encode(action)
    except BadActionError as error:
        raise RefusedError("not_allowed", f"{what}: {error}") from None
    return action
