"""A leg as a row: words, local times, widths, the peer."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from curcdr_projector.columns import COLUMNS, row
from legbook.contracts.legs import Leg, Peer

_T = datetime(2026, 7, 1, 22, 30, 5, 900_000, tzinfo=UTC)
LEG = Leg(
    pbx="hq", leg_id=7, epoch=2, seq=3, boot=1, rule="dials.begin", kind="dial", state="ringing", born=_T, start=_T,
    src="2002", srcname="Zoë", srcchan="PJSIP/sipto45-00000001", srcuid="1.1", dst="1000", didnumber="30900",
    dstchan="PJSIP/201-00000002", dstuid="1.2", linkedid="1.1", dialstring="201",
)  # fmt: skip


def _row(leg: Leg, zone: str = "UTC") -> dict[str, Any]:
    return dict(zip(COLUMNS, row(leg, ZoneInfo(zone)), strict=True))


@pytest.mark.parametrize(
    ("kind", "state", "word"),
    [("caller", "waiting", "RING"), ("caller", "talking", "LINK"), ("dial", "dialing", "DIAL"),
     ("dial", "ringing", "RINGING"), ("dial", "talking", "LINK")],
)  # fmt: skip
def test_dispositions(kind: Any, state: Any, word: str) -> None:
    assert _row(replace(LEG, kind=kind, state=state))["disposition"] == word


def test_times_are_those_of_the_pbx_and_zero_before_they_happen() -> None:
    found = _row(LEG, "Europe/Berlin")

    assert found["starttime"] == "2026-07-02 00:30:05"
    assert (found["answertime"], found["calldate"]) == ("0000-00-00 00:00:00",) * 2


def test_calldate_is_the_callers_first_answer_by_anything() -> None:
    found = _row(replace(LEG, src_up=_T))

    assert (found["calldate"], found["answertime"]) == ("2026-07-01 22:30:05", "0000-00-00 00:00:00")


def test_channels_are_lower_case() -> None:
    found = _row(LEG)

    assert (found["srcchan"], found["dstchan"]) == ("pjsip/sipto45-00000001", "pjsip/201-00000002")


def test_a_withheld_caller_is_unknown_and_nobody_is_empty() -> None:
    assert _row(replace(LEG, src=""))["src"] == "<unknown>"
    assert _row(replace(LEG, src="", srcchan=""))["src"] == ""


def test_the_peer_is_shown_instead_of_the_caller() -> None:
    peer = Peer(num="555", name="P", chan="SIP/x-1", uid="9.9", device="x")
    found = _row(replace(LEG, peer=peer))

    shown = [found[name] for name in ("src", "srcname", "srcchan", "srcuid", "didnumber")]
    assert shown == ["555", "P", "sip/x-1", "9.9", ""]


def test_values_fit_their_columns() -> None:
    found = _row(replace(LEG, dst="9" * 200, src="Ж1", srcname="Ж" * 200))

    assert (len(found["dst"]), found["src"], found["srcname"]) == (80, "?1", "Ж" * 100)


def test_version_orders_states() -> None:
    assert _row(LEG)["ver"] == 2 << 32 | 3
