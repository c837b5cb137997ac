"""Who may log in, and which actions need which class of theirs (as `manager show command` says)."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from legbook.fakepbx.masks import ALL

_SEES = frozenset({"system", "call", "reporting"})
# Any one of the classes will do; an action that is not here needs none
_NEEDS: dict[str, frozenset[str]] = {
    "hangup": frozenset({"system", "call"}),
    "coreshowchannels": frozenset({"system", "reporting"}),
    "corestatus": frozenset({"system", "reporting"}),
    "coresettings": frozenset({"system", "reporting"}),
    "status": _SEES,
    "getvar": _SEES,
    "setvar": frozenset({"call"}),
    "redirect": frozenset({"call"}),
    "atxfer": frozenset({"call"}),
    "blindtransfer": frozenset({"call"}),
    "park": frozenset({"call"}),
    "parkedcalls": frozenset({"call"}),
    "bridge": frozenset({"call"}),
    "playdtmf": frozenset({"call"}),
    "originate": frozenset({"originate"}),
    "mixmonitor": frozenset({"system"}),
    "stopmixmonitor": frozenset({"system"}),
    "muteaudio": frozenset({"system"}),
    "queueadd": frozenset({"agent"}),
    "queueremove": frozenset({"agent"}),
    "queuepause": frozenset({"agent"}),
    "command": frozenset({"command"}),
}


@dataclass(frozen=True, slots=True)
class User:
    """One section of manager.conf. `read`: the most that a session's mask can hold; `write`: what it may do."""

    username: str
    secret: str = field(repr=False)
    read: frozenset[str] = ALL
    write: frozenset[str] = ALL

    def may(self, action: str) -> bool:
        """The action in lower case."""
        needed = needs(action)
        return not needed or bool(needed & self.write)

    def sees(self, mask: frozenset[str]) -> frozenset[str]:
        return mask if self.read is ALL else mask & self.read


def needs(action: str) -> frozenset[str]:
    """The classes of which one is enough; none: whoever is logged in may. The action in lower case."""
    return _NEEDS.get(action, frozenset())


def login(users: Iterable[User], username: str, secret: str) -> User | None:
    """All are always compared, in a time that does not tell how much was right."""
    found = None
    for user in users:
        named = hmac.compare_digest(user.username.encode(), username.encode())
        if hmac.compare_digest(user.secret.encode(), secret.encode()) and named:
            found = user
    return found
