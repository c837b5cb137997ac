"""Metrics that every process has. A service's own are in its metrics.py; none is made anywhere else."""

from importlib.metadata import version
from typing import Final

from prometheus_client import Counter, Info

DEAD_LETTERS: Final = Counter(
    "legbook_dead_letters_total",
    "Records sent to a dead-letter topic, by topic and kind of reason.",
    ["topic", "kind"],
)
BUILD: Final = Info("legbook_build", "Version of legbook that runs.")
BUILD.info({"version": version("legbook")})
