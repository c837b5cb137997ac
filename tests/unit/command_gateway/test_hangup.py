"""Which actions a command becomes: Hangup by uniqueid, and nothing that Asterisk takes for a pattern."""

import pytest
from msgspec.structs import replace

from command_gateway.refusals import RefusedError
from command_gateway.verbs.hangup import plan
from legbook.contracts import examples
from legbook.contracts.commands import HangupArgs, Side
from legbook.contracts.legs import Leg, Peer

LEG = replace(examples.RINGING, srcuid="1.1", dstuid="1.2", peer=None)
PEER = Peer(num="2002", name="", chan="PJSIP/x-00000009", uid="1.9", device="x")


def uniqueids(side: Side, leg: Leg = LEG) -> tuple[str, ...]:
    command = replace(examples.COMMAND, args=HangupArgs(leg_id=leg.leg_id, side=side))
    found = plan(command, leg)
    assert found.actions == tuple((("Action", "Hangup"), ("Channel", uid)) for uid in found.uniqueids)
    assert found.gone == found.uniqueids
    return found.uniqueids


def test_each_side_by_uniqueid() -> None:
    assert uniqueids("dst") == ("1.2",)
    assert uniqueids("src") == ("1.1",)
    assert uniqueids("both") == ("1.2", "1.1")


def test_the_src_of_the_row_is_its_peer_after_a_transfer() -> None:
    assert uniqueids("src", replace(LEG, peer=PEER)) == ("1.9",)


def test_both_means_what_there_is() -> None:
    assert uniqueids("both", replace(LEG, dstuid="")) == ("1.1",)


@pytest.mark.parametrize(
    ("side", "leg"), [("dst", replace(LEG, dstuid="")), ("src", replace(LEG, srcuid=""))]
)
def test_a_side_that_is_not_there(side: Side, leg: Leg) -> None:
    with pytest.raises(RefusedError, match=f"args.side: .* has no {side} channel") as error:
        uniqueids(side, leg)
    assert error.value.reason == "bad_field"


@pytest.mark.parametrize(
    "uniqueid",
    ["/./", "/^SIP.*/", " /.*/", "\t/./", "1 2", "1.2\r\nAction: Originate", "1\0", "x" * 2000, "\u2028"],
)
def test_a_uniqueid_that_would_be_more_than_a_channel_is_never_written(uniqueid: str) -> None:
    with pytest.raises(RefusedError) as error:
        uniqueids("dst", replace(LEG, dstuid=uniqueid))
    assert error.value.reason == "not_allowed"
