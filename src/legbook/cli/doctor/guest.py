"""What a PBX showed to one of our AMI users: facts only, judged elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from legbook.ami.framing import Frame
from legbook.ami.message import parse

_ALL: Final = frozenset({"all"})
_CLASSES: Final = re.compile(r"\(Priv: ([a-z,]+|<none>)\)$")


@dataclass(slots=True)
class Heard:
    """Events that say their classes; of FullyBooted only that it came: the login writes it, never stamped."""

    booted: bool = False
    names: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    stamped: int = 0
    unstamped: int = 0

    def frame(self, frame: Frame) -> None:
        message = parse(frame)
        name, privilege = message.first("Event"), message.first("Privilege")
        if not name or not privilege:
            return
        self.classes |= set(privilege.split(",")) - _ALL
        if name == "FullyBooted":
            self.booted = True
            return
        self.names.add(name)
        if message.first("Timestamp"):
            self.stamped += 1
        else:
            self.unstamped += 1


@dataclass(slots=True)
class Guest:
    """`allowed`: action -> the classes of which one is enough; None: ListCommands is not known there.

    `version` and `channels`: None where they may not be seen. `offset`: how far its clock is ahead, give or take
    `doubt`.
    """

    username: str
    banner: str = ""
    heard: Heard = field(default_factory=Heard)
    allowed: Mapping[str, frozenset[str]] | None = None
    version: str | None = None
    channels: int | None = None
    offset: timedelta | None = None
    doubt: timedelta = timedelta()

    def may(self, action: str) -> bool:
        """As far as can be seen."""
        return self.allowed is None or action in self.allowed


def allowed(answer: Mapping[str, object]) -> dict[str, frozenset[str]]:
    """Of `Hangup: Hangup channel. (Priv: system,call,all)`."""
    found = {name: _CLASSES.search(str(text)) for name, text in answer.items()}
    return {name: frozenset(classes[1].split(",")) - _ALL for name, classes in found.items() if classes}
