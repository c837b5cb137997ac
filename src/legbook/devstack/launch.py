"""From nothing to ready: the steps of one server, and several servers taking theirs side by side."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from legbook.devstack.server import Command, Home, NotReadyError, Server, StackError

PAUSE = 0.03  # seconds between two looks
TAIL = 4000  # characters of a log that an error shows

Spawn = Callable[[str, Command], subprocess.Popen[bytes]]


@dataclass(slots=True)
class Launch:
    """One server on its way up. Without `steps` it is somebody else's server, and only waited for."""

    server: Server
    url: str
    home: Home
    spawn: Spawn
    steps: list[Callable[[], Command]] = field(default_factory=list)
    child: subprocess.Popen[bytes] | None = None
    reason: str = "not asked yet"

    @classmethod
    def of(cls, server: Server, url: str, home: Home, spawn: Spawn) -> "Launch":
        launch = cls(server, url, home, spawn)
        launch.steps = [partial(tuple, command) for command in server.prepare(home)]
        launch.steps.append(partial(server.command, home))  # asked for when the others are done
        return launch

    def advance(self) -> bool:
        """Takes the next step if the last one is done. True when the server is ready."""
        code = self.child.poll() if self.child else None
        if code or (code == 0 and not self.steps):
            raise StackError(f"{self.server.title} ended with {code}, see {self._log()}")
        if self.steps and (self.child is None or code == 0):
            self.child = self.spawn(self.server.name, self.steps.pop(0)())
        if self.steps:
            return False
        try:
            self.server.probe(self.url)
        except NotReadyError as error:
            self.reason = str(error)
            return False
        return True

    def _log(self) -> str:
        log = self.home.log(self.server.name)
        return f"{log}, which ends with:\n{log.read_text(errors='replace')[-TAIL:]}"


def wait_until_ready(launches: Sequence[Launch], patience: float, ready: Callable[[Launch], None]) -> None:
    """Calls `ready` for each of them in the order in which they get ready."""
    deadline = time.monotonic() + patience
    waiting = list(launches)
    while waiting:
        for launch in tuple(waiting):
            if launch.advance():
                waiting.remove(launch)
                ready(launch)
        if waiting and time.monotonic() > deadline:
            reasons = "; ".join(
                f"{launch.server.title} ({launch.url}): {launch.reason}" for launch in waiting
            )
            raise StackError(f"not ready after {patience:.0f} s: {reasons}")
        time.sleep(PAUSE)
