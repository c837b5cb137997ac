"""`python -m legbook.demo --picture FILE`: what a terminal shows at a moment when much is going on, as SVG."""

import io
import re
from pathlib import Path
from typing import Any, Final

from rich.console import Console, RenderableType

_WIDE: Final = 118  # columns
_FONTS: Final = re.compile(
    r"\s*@font-face \{.*?\}", re.DOTALL
)  # from the network: a reader has a monospace of his own


def is_good(live: list[dict[str, Any]], finished: int) -> bool:
    """A ring group rings on one PBX, somebody talks on the other, some legs are over."""
    states = [row["disposition"] for row in live]
    return states.count("RINGING") >= 3 and "LINK" in states and finished >= 6


def save(shown: RenderableType, title: str, path: Path) -> None:
    console = Console(record=True, width=_WIDE, file=io.StringIO())
    console.print(shown)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_FONTS.sub("", console.export_svg(title=title)), encoding="utf-8")
