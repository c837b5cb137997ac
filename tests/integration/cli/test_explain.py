"""`legbook explain` from the raw topic of a running system."""

import pytest

from legbook.contracts import codec
from legbook.contracts.raw import RawRecord
from legbook.contracts.topics import RAW
from tests.integration.cli.conftest import Legbook, Produce, record
from tests.recorded import RING_GROUP, entries, fold

PBX = "explained"


@pytest.fixture(scope="module", autouse=True)
def _there(produce: Produce) -> None:
    placed = entries(RING_GROUP)
    records = [RawRecord(pbx=PBX, boot=each.boot, epoch=each.epoch, entries=[each.entry]) for each in placed]
    produce([record(RAW.name, PBX, PBX, codec.encode(raw)) for raw in records])


def test_a_leg_of_the_topic(legbook: Legbook) -> None:
    leg = fold(entries(RING_GROUP)).legs[0]

    code, lines, errors = legbook.run("explain", "--pbx", PBX, "--leg", str(leg.leg_id))

    assert code == 0
    assert lines[0] == f"Leg {leg.leg_id}: dial 2002 -> 1000 on 201, NO ANSWER"
    assert lines[-1] == "Why: NO ANSWER: 201's own Hangup came with cause 26 after 202 answered."
    assert f"entries of {PBX}" in errors


def test_a_pbx_that_the_topic_does_not_know(legbook: Legbook) -> None:
    code, lines, errors = legbook.run("explain", "--pbx", "nobody", "--leg", "1")

    assert (code, lines) == (2, [])
    assert "no such leg among 0" in errors


def test_without_kafka() -> None:
    code, lines, errors = Legbook("127.0.0.1:1").run("explain", "--pbx", PBX, "--leg", "1")

    assert (code, lines) == (78, [])
    assert "KAFKA_BOOTSTRAP_SERVERS says where Kafka is" in errors
