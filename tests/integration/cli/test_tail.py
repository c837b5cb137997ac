"""`legbook tail` as a process, on a real Kafka: what is there, what comes, and how it ends."""

import json
import re
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from msgspec.structs import replace

from legbook.contracts import codec
from legbook.contracts.examples import COMMAND, RECORD, RESULT, RINGING, WAITING
from legbook.contracts.topics import COMMANDS, LEGS, RAW, RESULTS, STATUS
from tests.integration.cli.conftest import Legbook, Process, Produce, record

ALL = ("--from-beginning", "--no-follow")
AWAY = Legbook("127.0.0.1:1")


@contextmanager
def _running(process: Process) -> Iterator[Process]:
    with process:
        try:
            yield process
        finally:
            process.kill()


def _ends(process: Process) -> tuple[int, str]:
    """Exit code and stderr of one that ends by itself, soon."""
    code = process.wait(timeout=10)
    assert process.stderr is not None
    return code, process.stderr.read()


def _line(process: Process) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.fixture(scope="module", autouse=True)
def _there(produce: Produce) -> None:
    live = [
        record(LEGS.name, leg.pbx, f"{leg.pbx}|{leg.leg_id}", codec.encode(leg)) for leg in (RINGING, WAITING)
    ]
    other = replace(RINGING, pbx="branch-2")
    produce(
        [
            *live,
            record(LEGS.name, "branch-2", f"branch-2|{other.leg_id}", codec.encode(other)),
            record(LEGS.name, "hq", f"hq|{RINGING.leg_id}", None),
            record(LEGS.name, "hq", "hq|?", b"\xff no leg"),
            record(RAW.name, "hq", "hq", codec.encode(RECORD)),
            record(RAW.name, "branch-2", "branch-2", codec.encode(replace(RECORD, pbx="branch-2"))),
            record(RESULTS.name, "hq", RESULT.command_id, codec.encode(RESULT)),
            record(COMMANDS.name, "a", "?", codec.encode(COMMAND)),
        ]
    )


def test_prints_what_is_there_in_order_and_ends(legbook: Legbook) -> None:
    code, lines, errors = legbook.run("tail", LEGS.name, *ALL, "--pbx", "hq")

    assert (code, errors) == (0, "")
    assert [line[20:].split()[2] for line in lines] == ["ringing", "waiting", "gone", "unreadable:"]
    assert lines[3].endswith(r": \xff no leg")


def test_prints_all_pbxs_and_one_line_an_entry(legbook: Legbook) -> None:
    code, lines, _ = legbook.run("tail", "raw", *ALL)

    assert code == 0
    assert sorted(line[20:].split()[1] for line in lines) == ["branch-2"] * 11 + ["hq"] * 11


def test_a_pbx_is_found_by_header_and_in_the_wrong_partition(legbook: Legbook) -> None:
    results, commands = (
        legbook.run("tail", name, *ALL, "--pbx", "hq")[1] for name in ("results", "commands")
    )

    assert [line.split()[3:5] for line in results] == [[RESULT.command_id, "done"]]
    assert [line.split()[4:6] for line in commands] == [[COMMAND.command_id, "hangup"]]


def test_prints_json(legbook: Legbook) -> None:
    _, lines, _ = legbook.run("tail", "legs", *ALL, "--pbx", "hq", "--json")
    found = [json.loads(line) for line in lines]

    assert found[0]["value"] == json.loads(codec.encode(RINGING))
    assert [each["offset"] for each in found] == [0, 1, 2, 3]
    assert [each["key"] for each in found][2:] == [f"hq|{RINGING.leg_id}", "hq|?"]
    assert (found[2]["value"], found[3]["value_b64"]) == (None, "/yBubyBsZWc=")


def test_an_empty_topic_is_no_line(legbook: Legbook) -> None:
    assert legbook.run("tail", STATUS.name, *ALL) == (0, [], "")


def test_follows_from_now_on_until_ctrl_c(legbook: Legbook, produce: Produce) -> None:
    with _running(legbook.start("tail", "raw", "--pbx", "hq")) as tail:
        for seq in count(5000):
            entry = replace(RECORD.entries[-1], seq=seq)
            produce([record(RAW.name, "hq", "hq", codec.encode(replace(RECORD, entries=[entry])))])
            if _readable(tail):
                break
        line = _line(tail)
        tail.send_signal(signal.SIGINT)

        assert _ends(tail) == (0, "")
    assert re.search(" hq +5[0-9]{3}  drop ", line)  # not 4711, which was there


def _readable(process: Process) -> bool:
    assert process.stdout is not None
    return bool(select.select([process.stdout], [], [], 0.3)[0])


@pytest.mark.parametrize("topic", ["raw", "results"])
def test_ends_quietly_when_nobody_reads_any_more(legbook: Legbook, topic: str) -> None:
    with _running(legbook.start("tail", topic, "--from-beginning")) as tail:
        assert re.search(" hq | branch-2 | done ", _line(tail))
        assert tail.stdout is not None
        tail.stdout.close()

        assert _ends(tail) == (0, "")


def test_a_kafka_that_is_away_is_one_line(legbook: Legbook) -> None:
    start = time.monotonic()
    code, lines, errors = AWAY.run("tail", "raw")

    assert (code, lines) == (78, [])
    assert errors.startswith("legbook tail: ")
    assert errors.endswith("; KAFKA_BOOTSTRAP_SERVERS says where Kafka is\n")
    assert errors.count("\n") == 1
    assert time.monotonic() - start < 10
