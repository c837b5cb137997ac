"""The two PBXs of demo and smoke test, and the recordings they play."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from legbook.demo.world import GATEWAY, SECRET, USERNAME
from legbook.fakepbx import FakePbx

_ROOT: Final = Path(__file__).parents[3] / "tests" / "fixtures" / "recordings"
RING_GROUP: Final = "06-ringgroup-202-answers"
_DEMO: Final = {
    "hq": ("22.10.1-pjsip", [RING_GROUP, "01-simple-answered", "03-busy", "04-caller-cancels"]),
    "branch": ("16.28.0-chan_sip", ["01-simple-answered", RING_GROUP, "07-ringgroup-nobody", "02-no-answer"]),
}
_CLICK: Final = ["15a-originate-success"]
SPACING: Final = 5.0  # seconds between two calls of one PBX


def recordings(profile: str, scenarios: Sequence[str]) -> list[Path]:
    """They are with the tests: demo and smoke test run from a checkout."""
    return [_ROOT / profile / f"{scenario}.jsonl.gz" for scenario in scenarios]


def for_demo(name: str) -> FakePbx:
    """Calls for ever, at real speed; 201 can be clicked, to dial 90555123."""
    profile, scenarios = _DEMO[name]
    return FakePbx(
        name,
        recordings(profile, scenarios),
        username=USERNAME,
        secret=SECRET,
        others=[GATEWAY],
        clicks=recordings(profile, _CLICK),
        rounds=None,
        spacing=SPACING,
        begin_on_login=True,
    )


def ring_groups(name: str, rounds: int, spacing: float | None = None) -> FakePbx:
    """The ring group so many times, when told to begin."""
    profile, _ = _DEMO[name]
    return FakePbx(
        name,
        recordings(profile, [RING_GROUP]),
        username=USERNAME,
        secret=SECRET,
        others=[GATEWAY],
        rounds=rounds,
        spacing=spacing,
    )


NAMES: Final = tuple(_DEMO)
