"""`legbook status` as a process, on a real Kafka: nothing, all well, one not well."""

import json
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from legbook.contracts import codec
from legbook.contracts.examples import INGEST, PROJECTOR
from legbook.contracts.status import IngestStatus, Status
from legbook.contracts.topics import STATUS
from legbook.runtime.kafka import Record
from tests.integration.cli.conftest import Legbook, Produce, record


def _said(status: Status) -> Record:
    part = "ingest" if isinstance(status, IngestStatus) else "projector"
    return record(STATUS.name, status.pbx, f"{status.pbx}|{part}", codec.encode(status))


def _pair(pbx: str, epoch: int = 5, state: str = "up") -> list[Record]:
    now = datetime.now(UTC)
    since = now - timedelta(minutes=7)
    ingest = replace(
        INGEST, pbx=pbx, epoch=epoch, at=now, state=state, reason="", since=since, last_gap=since
    )
    return [_said(ingest), _said(replace(PROJECTOR, pbx=pbx, epoch=epoch, at=now, suspect_since=None))]


def test_from_nothing_to_one_that_is_down(legbook: Legbook, produce: Produce) -> None:
    nothing = legbook.run("status")
    assert nothing == (1, [], "legbook status: nothing has reported yet: does ami_ingest run?\n")

    produce([*_pair("hq"), *_pair("branch-2"), *_pair("hq", epoch=4, state="down")])  # an owner of the past
    code, lines, errors = legbook.run("status")
    assert (code, errors) == (0, "")
    assert [line.split()[:5] for line in lines[1:]] == [
        ["branch-2", "up", "for", "7", "min"],
        ["hq", "up", "for", "7", "min"],
    ]

    produce(_pair("branch-2", state="down"))
    code, lines, errors = legbook.run("status", "--json")
    found = {each["pbx"]: each for each in map(json.loads, lines)}
    assert (code, errors) == (1, "")
    assert {pbx: each["good"] for pbx, each in found.items()} == {"hq": True, "branch-2": False}
    assert found["hq"]["lag"] > found["hq"]["projector"]["lag"] == PROJECTOR.lag

    produce([record(STATUS.name, "hq", "hq|other", b"nonsense")])
    assert "unreadable: pbx.status.v1 " in legbook.run("status")[2]


def test_a_kafka_that_is_away_is_one_line() -> None:
    code, lines, errors = Legbook("127.0.0.1:1").run("status", "--json")

    assert (code, lines, errors.count("\n")) == (78, [], 1)
    assert errors.endswith("; KAFKA_BOOTSTRAP_SERVERS says where Kafka is\n")
