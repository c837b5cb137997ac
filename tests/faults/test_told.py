"""What counts as a false end of a command: the lies that the verifier must not miss."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from legbook.contracts.commands import (
    CommandResult,
    Hangup,
    HangupArgs,
    Originate,
    OriginateArgs,
    Reason,
    State,
)
from tests.faults.commands import Asked
from tests.faults.told import End, doubled, untrue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHO: dict[str, Any] = {"issuer": "x", "actor": "x", "issued_at": NOW, "not_after": NOW, "pbx": "east"}
CLICK = Originate(
    command_id="c", args=OriginateArgs(endpoint="PJSIP/201", exten="9", context="from-internal"), **WHO
)
HANGUP = Hangup(command_id="h", args=HangupArgs(leg_id=1, side="dst"), **WHO)
ASKED = [Asked(CLICK, "c", 0.0), Asked(HANGUP, "uid1", 0.0)]
REACHED = [("Originate", {"ChannelId": "c"}), ("Hangup", {"Channel": "uid1"})]


def _pbx(
    actions: Sequence[tuple[str, dict[str, str]]] = REACHED,
    *,
    answer: datetime | None = NOW,
    end: datetime = NOW,
) -> Any:
    """A phone that was rung, and a channel that was hung up; both at NOW."""
    entries = [SimpleNamespace(name=name, fields=fields) for name, fields in actions]
    log = SimpleNamespace(named=lambda name: [each for each in entries if each.name == name])
    legs = [
        SimpleNamespace(dstuid="c", answer=answer, end=end),
        SimpleNamespace(dstuid="uid1", answer=None, end=end),
    ]
    return _Pbx(name="east", actions=log, truth=SimpleNamespace(finished=lambda _: legs, live=lambda _: []))


class _Pbx(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]  # FakePbx is a key too


def _told(command_id: str, *states: State, reason: Reason | None = None) -> dict[str, list[End]]:
    """On record a moment after NOW."""
    results = [
        CommandResult(command_id=command_id, pbx="east", state=state, reason=reason, at=NOW, digest="")
        for state in states
    ]
    return {command_id: [End(NOW.timestamp() + 1, result) for result in results]}


def test_what_is_true_is_no_lie() -> None:
    told = _told("c", "done") | _told("h", "done")

    assert list(untrue({_pbx(): NOW}, ASKED, told)) == []
    assert list(untrue({_pbx([]): NOW}, ASKED, _told("c", "unknown"))) == []


@pytest.mark.parametrize(
    ("pbx", "told", "lie"),
    [
        (_pbx([]), _told("h", "done"), "it did not reach the PBX"),
        (_pbx(), _told("h", "expired"), "it did reach the PBX"),
        (_pbx(), _told("h", "failed", reason="pbx_down"), "it did reach the PBX"),
        (_pbx(end=NOW + timedelta(seconds=3)), _told("h", "done"), "the channel was there"),
        (_pbx(), _told("h", "unknown", "done"), "unknown, then done"),
        (_pbx(answer=None), _told("c", "done"), "the phone did not answer"),
        (_pbx(answer=NOW + timedelta(seconds=3)), _told("c", "done"), "the phone did not answer"),
        (_pbx(), _told("c", "failed", reason="not_reached"), "the phone did answer"),
    ],
)
def test_lies(pbx: Any, told: dict[str, list[End]], lie: str) -> None:
    (found,) = untrue({pbx: NOW + timedelta(seconds=9)}, ASKED, told)

    assert lie in found


def test_twice_is_too_often() -> None:
    assert doubled([_pbx()], ASKED) == []
    assert doubled([_pbx([*REACHED, REACHED[0]])], ASKED) == ["east Originate c"]
