"""Where the recordings are cut: everywhere with `make properties`, else at a few places that are always the same."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import pytest

from legbook.cli.recordings import Placed
from tests.recorded import RECORDINGS, entries, name_of

EVERYWHERE: Final = os.environ.get("LEGBOOK_PROPERTIES") == "all"
LONG: Final = 1000  # entries; longer recordings are cut in 200 places
SMALL: Final = [path for path in RECORDINGS if "-load-" not in path.name]

every_recording = pytest.mark.parametrize("recording", RECORDINGS if EVERYWHERE else SMALL, ids=name_of)
small_recordings = pytest.mark.parametrize("recording", SMALL, ids=name_of)


def cuts(length: int, few: int = 6) -> Sequence[int]:
    """1 .. length - 1: all, 200 of a long recording, or a few."""
    wanted = few if not EVERYWHERE else length if length <= LONG else 200
    places = range(1, length)
    return places if wanted >= len(places) else sorted(Random(length).sample(places, wanted))  # noqa: S311


@cache
def placed(recording: Path) -> tuple[Placed, ...]:
    return tuple(entries(recording))
