"""The bench works, and its page says what was measured. What it measures is no matter here: nothing is timed."""

import subprocess
import sys

from tests.benchmarks import page
from tests.benchmarks.figures import Figure, above, at_least, at_most, latencies, percentile, within

FAST = Figure("fold", 200_000, 100_000, "events/s", "decoding", at_least(1.5))


def test_every_stage_gives_figures_from_tiny_amounts() -> None:
    before = page.PAGE.read_bytes() if page.PAGE.exists() else None

    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--smoke"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    told = [line.removeprefix("bench: ") for line in done.stdout.splitlines() if "; ratio " in line]
    assert {name.split(",")[0].split()[0] for name in told} >= {
        "archive", "checkpoint", "command", "event", "fold", "hang-up", "ingest", "memory", "projector",
    }  # fmt: skip
    after = page.PAGE.read_bytes() if page.PAGE.exists() else None
    assert after == before, "a smoke run is not for the page"


def test_a_figure_is_one_line_with_its_baseline_and_its_goal() -> None:
    assert str(FAST) == "fold: 200,000 events/s; 100,000 events/s: decoding; ratio 2.00x, goal ≥ 1.5x: met"
    untold = Figure("memory", 142, 71, "MB", "at rest")
    assert str(untold) == "memory: 142 MB; 71.0 MB: at rest; ratio 2.00x"


def test_a_goal_is_of_the_ratio_of_the_time_or_of_the_difference() -> None:
    def met(ours: float, baseline: float, *goals: object) -> list[str]:
        return [Figure("x", ours, baseline, "ms", "y", goal).met for goal in goals]  # type: ignore[arg-type]

    assert met(30, 20, at_least(1.5), at_most(1.5), within(30), above(10), None) == [
        "yes",
        "yes",
        "yes",
        "yes",
        "",
    ]
    assert met(31, 20, at_least(1.6), at_most(1.5), within(30), above(10)) == ["no", "no", "no", "no"]


def test_latencies_are_told_in_milliseconds_at_p50_and_p99() -> None:
    seconds = [n / 1000 for n in range(101)]

    median, late = latencies("row", seconds, [0.002] * 3, "by hand", (within(50), within(90)))

    assert (median.name, median.ours, median.baseline, median.met) == ("row, p50", 50, 2, "yes")
    assert (late.name, late.ours, late.met) == ("row, p99", 99, "no")
    assert percentile(seconds, 50) == 50


def test_the_page_has_a_row_a_figure_the_machine_and_what_people_wrote() -> None:
    text = page.text([FAST], {"Processor": "a|b, 2 cores"})

    assert "| fold | 200,000 events/s | 100,000 events/s: decoding | 2.00x | ≥ 1.5x | yes |\n" in text
    assert "| Processor | a\\|b, 2 cores |\n" in text
    assert text.endswith(page.EXPLANATIONS.read_text())
