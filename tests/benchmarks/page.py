"""docs/reference/performance.md: the figures of the newest whole run, and what explanations.md says of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure

PAGE: Final = Path(__file__).parents[2] / "docs/reference/performance.md"
EXPLANATIONS: Final = Path(__file__).with_name("explanations.md")
_HEAD: Final = """# Performance

Written by `make bench`; not edited by hand. Each figure stands beside a baseline of the same run on the same machine:
the ratio says more than the rate, which is another one on every machine. Servers, services, what loads them and what
looks at them share this one machine. Latencies are in the time of one clock.
"""


def write(figures: Sequence[Figure], facts: Mapping[str, str]) -> Path:
    PAGE.write_text(text(figures, facts))
    return PAGE.relative_to(Path(__file__).parents[2])


def text(figures: Sequence[Figure], facts: Mapping[str, str]) -> str:
    rows = [(figure.name, *figure.told()) for figure in figures]
    made = [("Date", f"{datetime.now(UTC):%Y-%m-%d}"), *facts.items(), ("Command", "`make bench`")]
    parts = [
        _HEAD,
        "## Figures\n",
        _table(("figure", "ours", "baseline", "ratio", "goal", "met?"), rows),
        "\n## The run\n",
        _table(("", ""), made),
        f"\n{EXPLANATIONS.read_text()}",
    ]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)
