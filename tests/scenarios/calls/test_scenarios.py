"""One table says what a scenario is, whichever Asterisk was recorded; what differs is listed with its reason."""

from pathlib import Path

import pytest

from tests.recorded import RECORDINGS, RING_GROUP, name_of, tables
from tests.scenarios.calls.tables import (
    CLOSE,
    DIFFERENCES,
    SCENARIOS,
    Difference,
    differences,
    listed,
    own_rows,
    scenario_of,
    shared_rows,
)


@pytest.mark.parametrize("recording", RECORDINGS, ids=name_of)
def test_a_recording_differs_from_its_scenario_only_as_listed(recording: Path) -> None:
    scenario = scenario_of(recording)

    found = differences(shared_rows(scenario), own_rows(recording))

    assert found == listed(recording.parent.name, scenario)


def test_every_scenario_names_the_profiles_that_recorded_it() -> None:
    recorded: dict[str, list[str]] = {}
    for recording in RECORDINGS:
        recorded.setdefault(scenario_of(recording), []).append(recording.parent.name)

    heads = [path.read_text().partition("\n")[0] for path in sorted(SCENARIOS.glob("*.txt"))]
    assert sorted(heads) == sorted(f"# {name}: {', '.join(by)}" for name, by in recorded.items())


def test_every_difference_is_of_a_recording_and_has_its_reason() -> None:
    reasons, rows = tables(DIFFERENCES)

    assert {f"{row['profile']}/{row['scenario']}" for row in rows} <= {name_of(path) for path in RECORDINGS}
    assert {row["why"] for row in rows} == {reason["why"] for reason in reasons}
    cells = [(row["profile"], row["scenario"], row["row"], row["column"]) for row in rows]
    assert len(cells) == len(set(cells))


RING_GROUP_ROWS = [
    (name, column)
    for name, row in shared_rows(scenario_of(RING_GROUP)).items()
    for column in row
    if column not in {"caller", "called"}
]


@pytest.mark.parametrize(("name", "column"), RING_GROUP_ROWS)
def test_no_cell_may_be_another(name: str, column: str) -> None:
    shared, own = shared_rows(scenario_of(RING_GROUP)), own_rows(RING_GROUP)
    was = shared[name][column]

    own[name][column] = "other"

    assert differences(shared, own) == {Difference(name, column, was, "other")}


def test_a_time_may_be_another_by_the_tolerance_only() -> None:
    shared, own = shared_rows(scenario_of(RING_GROUP)), own_rows(RING_GROUP)
    end = float(shared["sipto45>202"]["end"])

    own["sipto45>202"]["end"] = f"{end + CLOSE - 0.001:.6f}"
    assert differences(shared, own) == set()

    own["sipto45>202"]["end"] = f"{end + CLOSE + 0.011:.6f}"
    assert differences(shared, own) == {
        Difference("sipto45>202", "end", f"{end:.2f}", f"{end + CLOSE + 0.01:.2f}")
    }


def test_no_leg_may_be_missing_or_in_another_place() -> None:
    shared, own = shared_rows(scenario_of(RING_GROUP)), own_rows(RING_GROUP)
    first = own.pop("sipto45>201")
    assert differences(shared, own) == {Difference("sipto45>201", "kind", "dial", "-")}
    assert Difference("sipto45>201", "kind", "-", "dial") in differences(own, shared)

    own["sipto45>201"] = first
    assert differences(shared, own) == {Difference("*", "order", "201 202 203", "202 203 201")}
