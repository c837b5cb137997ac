"""One figure: ours beside a baseline of the same run, and what we want of it."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Goal:
    """`met(ours, baseline)`."""

    text: str
    met: Callable[[float, float], bool]


def at_least(ratio: float) -> Goal:
    """Times the baseline."""
    return Goal(f"≥ {ratio:g}x", lambda ours, baseline: ours >= ratio * baseline)


def at_most(ratio: float) -> Goal:
    """Times the baseline."""
    return Goal(f"≤ {ratio:g}x", lambda ours, baseline: ours <= ratio * baseline)


def within(milliseconds: float) -> Goal:
    """Whatever the baseline is."""
    return Goal(f"≤ {milliseconds:,.0f} ms", lambda ours, _: ours <= milliseconds)


def above(milliseconds: float) -> Goal:
    """So much more than the baseline, at most."""
    return Goal(
        f"≤ baseline + {milliseconds:,.0f} ms", lambda ours, baseline: ours <= baseline + milliseconds
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """`against`: what the baseline is. One without a goal is told, and nothing is wanted of it."""

    name: str
    ours: float
    baseline: float
    unit: str
    against: str
    goal: Goal | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline

    @property
    def met(self) -> str:
        if self.goal is None:
            return ""
        return "yes" if self.goal.met(self.ours, self.baseline) else "no"

    def told(self) -> tuple[str, str, str, str, str]:
        """Ours, baseline, ratio, goal, and whether it is met."""
        ours, baseline = (f"{_rounded(value)} {self.unit}" for value in (self.ours, self.baseline))
        goal = self.goal.text if self.goal else ""
        return ours, f"{baseline}: {self.against}", f"{_rounded(self.ratio)}x", goal, self.met

    def __str__(self) -> str:
        ours, baseline, ratio, goal, met = self.told()
        wanted = f", goal {goal}: {'met' if met == 'yes' else 'MISSED'}" if goal else ""
        return f"{self.name}: {ours}; {baseline}; ratio {ratio}{wanted}"


def _rounded(value: float) -> str:
    """Three digits that count, or all before the point."""
    digits = next((digits for digits, above in ((0, 100), (1, 10), (2, 0.1)) if value >= above), 3)
    return f"{value:,.{digits}f}"


PERCENTS: Final = (50, 99)


def percentile(seconds: Sequence[float], percent: int) -> float:
    """In milliseconds."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000


def latencies(
    name: str, ours: Sequence[float], baseline: Sequence[float], against: str, goals: Sequence[Goal] = ()
) -> list[Figure]:
    """p50 and p99 of both, from seconds; a goal for each of the two, or none."""
    wanted: Sequence[Goal | None] = goals or [None] * len(PERCENTS)
    return [
        Figure(
            f"{name}, p{percent}",
            percentile(ours, percent),
            percentile(baseline, percent),
            "ms",
            against,
            goal,
        )
        for percent, goal in zip(PERCENTS, wanted, strict=True)
    ]
