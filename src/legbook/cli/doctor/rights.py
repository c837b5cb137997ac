"""What an AMI user may do: Asterisk lists the actions of a user, each with its classes. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from legbook.cli.doctor.finding import Finding, fail, ok, warn
from legbook.cli.doctor.guest import Guest
from legbook.runtime.fleet import Pbx, gateway_login, ingest_login


@dataclass(frozen=True, slots=True)
class Role:
    """`write`: classes, each with the action that it is for, and what does not work without that."""

    name: str
    login: Callable[[str, Pbx], tuple[str, str]]
    read: str
    write: tuple[tuple[str, str, str], ...]

    @property
    def classes(self) -> str:
        return ",".join(name for name, _, _ in self.write)


INGEST: Final = Role(
    "ingest",
    ingest_login,
    "system,call,dialplan,agent",
    (("reporting", "CoreShowChannels", "calls that it did not hear begin or end stay wrong"),),
)
_CALL: Final = ("call", "Hangup", "no command can hang up a leg")
_ORIGINATE: Final = (
    "originate",
    "Originate",
    "the policy of the fleet file allows click-to-dial, the PBX does not",
)
GATEWAY: Final = Role("gateway", gateway_login, "call", (_CALL,))
DIALLING: Final = Role("gateway", gateway_login, "call", (_CALL, _ORIGINATE))


def gateway_of(pbx: Pbx) -> Role:
    """It originates what the policy names: nothing without a context and an endpoint."""
    return DIALLING if pbx.policy.contexts and pbx.policy.endpoints else GATEWAY


RELOAD: Final = "asterisk -rx 'manager reload'"
_POWERS: Final = {
    "system": "load modules and write the dialplan",
    "command": "type CLI commands",
    "originate": "start calls and with them programs",
    "config": "rewrite configuration files",
    "agi": "run AGI programs",
    "call": "hang up and transfer calls",
}


def writing(role: Role, guest: Guest) -> Iterator[Finding]:
    section = f"[{guest.username}] in manager.d/legbook.conf"
    if guest.allowed is None:
        yield warn(
            f"{role.name}: ListCommands is not known to it, so what it may do cannot be seen",
            look(role, guest),
        )
        return
    missing = [(action, loss) for _, action, loss in role.write if not guest.may(action)]
    for action, loss in missing:
        yield fail(
            f"{role.name}: may not {action}: {loss}", f"write = {role.classes} for {section}, then: {RELOAD}"
        )
    if excess := sorted(_held(guest.allowed) - set(role.classes.split(","))):
        powers = ", ".join(_POWERS[each] for each in excess if each in _POWERS)
        yield warn(
            f"{role.name}: may do more than it needs: {', '.join(excess)}"
            + (f"; who steals its secret can {powers}" if powers else ""),
            f"write = {role.classes} and no more for {section}, then: {RELOAD}",
        )
    elif not missing:
        yield ok(f"{role.name}: may do what it needs and no more (write = {role.classes})")


def _held(allowed: Mapping[str, frozenset[str]]) -> set[str]:
    """The classes that are alone enough for an action that it has: others cannot be told apart."""
    return {name for classes in allowed.values() if len(classes) == 1 for name in classes} - {"<none>"}


def look(role: Role, guest: Guest) -> str:
    return (
        f"on the PBX, asterisk -rx 'manager show user {guest.username}' must say "
        f"read = {role.read}, write = {role.classes}"
    )
