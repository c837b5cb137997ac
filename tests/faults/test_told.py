"""What counts as a false end of a command: the lies that the verifier must not miss."""

from collections.abc import Sequence
from datetime import UTC, datetime
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
from tests.faults.told import doubled, untrue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHO: dict[str, Any] = {"issuer": "x", "actor": "x", "issued_at": NOW, "not_after": NOW, "pbx": "east"}
CLICK = Originate(
    command_id="c", args=OriginateArgs(endpoint="PJSIP/201", exten="9", context="from-internal"), **WHO
)
HANGUP = Hangup(command_id="h", args=HangupArgs(leg_id=1, side="dst"), **WHO)
ASKED = [Asked(CLICK, "c", 0.0), Asked(HANGUP, "uid1", 0.0)]
REACHED = [("Originate", {"ChannelId": "c"}), ("Hangup", {"Channel": "uid1"})]


def _pbx(actions: Sequence[tuple[str, dict[str, str]]] = REACHED, *, answer: datetime | None = NOW) -> Any:
    entries = [SimpleNamespace(name=name, fields=fields) for name, fields in actions]
    log = SimpleNamespace(named=lambda name: [each for each in entries if each.name == name])
    leg = SimpleNamespace(dstuid="c", answer=answer)
    truth = SimpleNamespace(finished=lambda _: [leg], live=lambda _: [])
    return _Pbx(name="east", actions=log, truth=truth)


class _Pbx(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]  # FakePbx is a key too


def _told(
    command_id: str, state: State, reason: Reason | None = None
) -> dict[str, tuple[float, CommandResult]]:
    return {
        command_id: (
            1.0,
            CommandResult(command_id=command_id, pbx="east", state=state, reason=reason, at=NOW, digest=""),
        )
    }


def test_what_is_true_is_no_lie() -> None:
    told = _told("c", "done") | _told("h", "done")

    assert list(untrue({_pbx(): NOW}, ASKED, told)) == []
    assert list(untrue({_pbx([]): NOW}, ASKED, _told("c", "unknown"))) == []


@pytest.mark.parametrize(
    ("pbx", "told", "lie"),
    [
        (_pbx([]), _told("h", "done"), "it did not reach the PBX"),
        (_pbx(), _told("h", "expired"), "it did reach the PBX"),
        (_pbx(), _told("h", "failed", "pbx_down"), "it did reach the PBX"),
        (_pbx(answer=None), _told("c", "done"), "the phone did not answer"),
        (_pbx(), _told("c", "failed", "not_reached"), "the phone did answer"),
    ],
)
def test_lies(pbx: Any, told: dict[str, tuple[float, CommandResult]], lie: str) -> None:
    (found,) = untrue({pbx: NOW}, ASKED, told)

    assert lie in found


def test_twice_is_too_often() -> None:
    assert doubled([_pbx()], ASKED) == []
    assert doubled([_pbx([*REACHED, REACHED[0]])], ASKED) == ["east Originate c"]
