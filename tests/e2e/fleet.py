"""The PBXs of the end-to-end fleet: each test has its own, so that no test sees another's calls."""

from collections.abc import Sequence
from pathlib import Path

from legbook.demo.world import GATEWAY, SECRET, USERNAME
from legbook.fakepbx import FakePbx

PBXS = ("commands", "clicks", "seed", "load", "cut", "mysql", "letters", "other", "west", "east")


def play(
    name: str,
    recordings: list[Path],
    ports: dict[str, int],
    *,
    rounds: int | None = 1,
    spacing: float | None = None,
    clicks: Sequence[Path] = (),
) -> FakePbx:
    """Real speed; begins with the login of ami_ingest."""
    return FakePbx(
        name,
        recordings,
        username=USERNAME,
        secret=SECRET,
        others=[GATEWAY],
        clicks=clicks,
        port=ports[name],
        rounds=rounds,
        spacing=spacing,
        begin_on_login=True,
    )
