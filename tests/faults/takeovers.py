"""How long until the other worker had its first effect: what is measured, and the table of all that was."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from legbook.demo.world import GATEWAY
from legbook.fakepbx import FakePbx
from tests.faults.blind import logins
from tests.faults.scene import Scene, Victim

SILENCE: Final = 2.5  # seconds: under load nothing but a worker that is gone is silent for so long
LONGEST: Final = 15.0  # seconds: who has not been silent by then was not hurt


class Table:
    """Seconds by service and fault."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, service: str, fault: str, seconds: float) -> None:
        self._seconds[service, fault].append(seconds)

    def lines(self) -> list[str]:
        """One for each service and fault, one for each service."""
        rows = dict(self._seconds)
        for (service, _), seconds in self._seconds.items():
            rows[service, "any"] = rows.get((service, "any"), []) + seconds
        return [_line(service, fault, rows[service, fault]) for service, fault in sorted(rows)]


TABLE: Final = Table()


def _line(service: str, fault: str, seconds: list[float]) -> str:
    least, middle, most = min(seconds), statistics.median(seconds), max(seconds)
    figures = f"n={len(seconds):<3} min={least:.1f} median={middle:.1f} max={most:.1f} s"
    return f"takeover: {service:<17} {fault:<9} {figures}"


def first_effect(scene: Scene, victim: Victim, pbx: FakePbx) -> float | None:
    """When another worker did for this PBX what the victim did; None: not yet."""
    match victim.service:
        case "ami_ingest":
            return _login(pbx, victim.at)
        case "command_gateway":
            return _command(pbx, victim.at)
        case "cdr_archiver":
            return after_silence(scene.archive.moved[pbx.name], victim.at)
    return after_silence(scene.screen.history.moved[pbx.name], victim.at)


def went_on(scene: Scene, victim: Victim, pbx: FakePbx) -> bool:
    """An archiver does not say what it holds: a PBX whose rows kept coming was another one's."""
    moved = scene.archive.moved[pbx.name]
    return victim.service == "cdr_archiver" and bool(moved) and moved[-1] > victim.at + LONGEST


def _login(pbx: FakePbx, at: float) -> float | None:
    return min((a.at.timestamp() for a in logins(pbx) if a.at.timestamp() > at), default=None)


def _command(pbx: FakePbx, at: float) -> float | None:
    """The first hang-up that came over a link made after the fault."""
    links = [a for a in pbx.actions.named("Login") if a.user == GATEWAY.username]
    new = {a.session for a in links if a.at.timestamp() > at}
    return min((a.at.timestamp() for a in pbx.actions.named("Hangup") if a.session in new), default=None)


def after_silence(moments: Iterable[float], at: float) -> float | None:
    """The end of the first silence that began with the fault or a little later (a SIGTERM has last words)."""
    before = at
    for moment in sorted(moments):
        if moment - before >= SILENCE:
            return moment
        before = max(before, moment)
    return None
