"""What the stack knows of a server: name, variable, commands, and how to ask whether it is ready."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

Progress = Callable[[str], None]
Command = Sequence[str | Path]


class StackError(Exception):
    """The stack cannot do it; the text tells a person why and what to do."""


class NotReadyError(Exception):
    """The server does not answer yet."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the servers live: the stack's folder (one folder a server below it) and the ports by name."""

    folder: Path
    ports: Mapping[str, int]

    def data(self, name: str) -> Path:
        return self.folder / name

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


class Server(ABC):
    """One server of the stack. It says what to run; `Stack` runs it."""

    name: ClassVar[str]  # in Stack(only=...), of its folder and of its log
    title: ClassVar[str]  # for people
    variable: ClassVar[str]  # the environment variable with its address
    ports: ClassVar[tuple[str, ...]]  # the first one is in its address

    @abstractmethod
    def url(self, port: int) -> str:
        """The value of the variable when the server listens on this port."""

    @abstractmethod
    def command(self, home: Home) -> Command:
        """The server itself. Called when `prepare` has been done."""

    @abstractmethod
    def probe(self, url: str) -> None:
        """Returns when the server does its work; NotReadyError when it does not yet."""

    def install(self, progress: Progress) -> None:  # noqa: B027  # nothing, unless a server says more
        """Fetches what this machine lacks; StackError when that cannot be done."""

    def prepare(self, home: Home) -> list[Command]:  # noqa: ARG002  # the same
        """What must run to its end, one after another, before the server: empty when the data is there."""
        return []

    def stopped(self, home: Home, exit_code: int) -> None:  # noqa: B027  # the same
        """The server has ended because the stack asked it to."""
