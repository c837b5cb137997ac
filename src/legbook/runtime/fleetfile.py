"""The fleet file while a service runs: read at the start and at SIGHUP. A bad one is refused, the old one stays."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from legbook.runtime import fleet
from legbook.runtime.fleet import FleetError, Pbx

_log = structlog.get_logger("legbook.fleet")
Logins = Callable[[str, Pbx], tuple[str, str]]


class FleetFile:
    """`pbxs` and `logins` are the same objects for ever: who holds them sees what was read last."""

    def __init__(self, path: Path, login: Logins | None = None) -> None:
        """`login`: gives (username, secret) of a PBX. FleetError names what is wrong."""
        self._path, self._login = path, login
        self.pbxs: dict[str, Pbx] = {}
        self.logins: dict[str, tuple[str, str]] = {}
        self._changed: list[Callable[[], None]] = []
        self._read()

    def _read(self) -> None:
        found = fleet.load(self._path)
        _keep_numbers(self._path, self.pbxs, found)
        logins = {name: self._login(name, pbx) for name, pbx in found.items()} if self._login else {}
        for ours, new in ((self.pbxs, found), (self.logins, logins)):
            ours.clear()
            ours.update(new)  # type: ignore[arg-type]  # two kinds, one way

    def on_change(self, tell: Callable[[], None]) -> None:
        self._changed.append(tell)

    def watch(self) -> None:
        """From now on SIGHUP reads it again. Before anything is waited for: unwatched, SIGHUP ends a process."""
        try:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)
        except RuntimeError:  # no loop runs yet
            signal.signal(signal.SIGHUP, lambda *_: self.reload())

    def reload(self) -> None:
        before = dict(self.pbxs)
        try:
            self._read()
        except FleetError as error:
            _log.error("fleet file refused, the old one stays", reason=str(error))
            return
        added, removed = self.pbxs.keys() - before.keys(), before.keys() - self.pbxs.keys()
        _log.info("fleet file read", pbxs=len(self.pbxs), added=sorted(added), removed=sorted(removed))
        for tell in self._changed:
            tell()


def _keep_numbers(path: Path, before: Mapping[str, Pbx], after: Mapping[str, Pbx]) -> None:
    """Numbers are in leg ids and never reused."""
    owners = {pbx.number: name for name, pbx in before.items()}
    for name, pbx in after.items():
        if name in before and before[name].number != pbx.number:
            raise FleetError(
                f"fleet file {path}: pbx.{name}.number: {pbx.number} was {before[name].number}, it must not change"
            )
        if owners.get(pbx.number, name) != name:
            raise FleetError(
                f"fleet file {path}: pbx.{name}.number: {pbx.number} was the number of pbx.{owners[pbx.number]}"
            )
