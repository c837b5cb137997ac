"""The 24 scenarios of tests/fixtures/ami22: dial legs, talks and calls equal the truth that was written by hand."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from legbook.calls import Talk
from legbook.cli.fold import Folded, fold_entries
from legbook.cli.recordings import read
from legbook.contracts.legs import Leg
from tests.recorded import FIXTURES

FOLDER = FIXTURES / "ami22"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())
TOLERANCE = 0.05  # seconds

scenarios = pytest.mark.parametrize("scenario", sorted(EXPECTED))

# what the truth calls a leg's facts, and what we do
_WORDS = {
    "src_device": "srcdevice",
    "dst_device": "dstdevice",
    "first_dialled": "dialled",
    "leg_exten": "exten",
    "dstuid": "dstuid",
    "dstchan": "dstchan",
    "dialstring": "dialstring",
    "dialstatus": "dialstatus",
    "queue": "queue",
    "did": "didnumber",
}
_FLAGS = (
    "via_local",
    "consult",
    "pickup",
    "picked_up_by",
    "after_transfer_by",
    "after_redirect",
    "forwarded_to",
    "spy_on",
    "park_ringback",
    "ring_no_answer",
    "answered_with",
)


@cache
def _folded(scenario: str) -> tuple[Folded, datetime]:
    path: Path = FOLDER / f"{scenario}.json.gz"
    folded = Folded()
    fold_entries(read(path, "hq"), folded)
    first = next(iter(read(path, "hq"))).entry.at
    assert first is not None
    return folded, first


def _legs(scenario: str) -> tuple[list[Leg], datetime]:
    folded, since = _folded(scenario)
    return folded.shown(everything=False), since


def _near(expected: float | None, found: datetime | None, since: datetime) -> bool:
    if expected is None or found is None:
        return expected is None and found is None
    return abs((found - since).total_seconds() - expected) <= TOLERANCE


@scenarios
def test_the_dial_legs(scenario: str) -> None:
    legs, since = _legs(scenario)
    dials = {leg.dstuid: leg for leg in legs if leg.kind == "dial"}

    assert dials.keys() == {truth["dstuid"] for truth in EXPECTED[scenario]["dial_legs"]}
    for truth in EXPECTED[scenario]["dial_legs"]:
        leg = dials[truth["dstuid"]]
        assert {name: getattr(leg, ours) or None for name, ours in _WORDS.items()} == {
            name: truth.get(name) for name in _WORDS
        }
        assert truth["srcuid"] in {None, leg.srcuid}
        assert str(leg.hangupcause) == truth["hangupcause"]
        assert (leg.answered, leg.end_reason, leg.end_exact) == (truth["answered"], "hangup", True)
        for name, moment in (("begin", leg.start), ("answer", leg.answer), ("end", leg.end)):
            assert _near(truth[name], moment, since), (truth["dstuid"], name, truth[name], moment)


@scenarios
def test_the_flags(scenario: str) -> None:
    legs, _ = _legs(scenario)
    dials = {leg.dstuid: leg for leg in legs if leg.kind == "dial"}

    for truth in EXPECTED[scenario]["dial_legs"]:
        flags = dials[truth["dstuid"]].flags
        said = {name: getattr(flags, name) for name in _FLAGS if getattr(flags, name)}
        assert said == {name: truth[name] for name in _FLAGS if truth.get(name)}, truth["dstuid"]
        assert flags.originated == truth.get("originate", False)
        assert flags.queue_abandoned == ("abandoned" in EXPECTED[scenario]["facts"])


@scenarios
def test_the_talks(scenario: str) -> None:
    folded, since = _folded(scenario)
    talks = sorted((talk for talk in folded.talks if isinstance(talk, Talk)), key=lambda t: str(t.start))
    truths = sorted(EXPECTED[scenario]["talk"], key=lambda truth: truth["start"])

    assert [sorted(talk.devices) for talk in talks] == [truth["devices"] for truth in truths]
    for talk, truth in zip(talks, truths, strict=True):
        assert _near(truth["start"], talk.start, since)
        assert _near(truth["end"], talk.end, since)


@scenarios
def test_the_calls(scenario: str) -> None:
    folded, _ = _folded(scenario)

    found = folded.summary()
    facts = EXPECTED[scenario]["facts"]
    assert {name: found[name] for name in ("calls", "answered_calls", "missed_calls")} == {
        name: facts[name] for name in ("calls", "answered_calls", "missed_calls")
    }
    assert found["open_legs"] == 0
