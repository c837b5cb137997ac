"""`legbook watch` as a process, on a real Kafka: rows come, change, go; Ctrl-C and a closed pipe end it quietly."""

import signal

from msgspec.structs import replace

from legbook.contracts import codec
from legbook.contracts.examples import RINGING
from legbook.contracts.legs import Leg
from legbook.contracts.topics import LEGS
from legbook.runtime.kafka import Record
from tests.integration.cli.conftest import Legbook, Process, Produce, record


def said(leg: Leg, *, over: bool = False) -> Record:
    return record(LEGS.name, leg.pbx, f"{leg.pbx}|{leg.leg_id}", None if over else codec.encode(leg))


def line(process: Process) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_rows_come_change_and_go(legbook: Legbook, produce: Produce) -> None:
    other = replace(RINGING, leg_id=RINGING.leg_id + 4096, dstdevice="203")
    produce([said(RINGING), said(other)])
    with legbook.start("watch", "--phone", RINGING.dstdevice) as process:
        assert (
            line(process) == f"curcdr {RINGING.leg_id} hq RINGING 2002 -> 1000 on {RINGING.dstchan.lower()}"
        )
        produce([said(replace(RINGING, state="talking")), said(other, over=True)])
        assert (
            line(process) == f"curcdr {RINGING.leg_id} hq LINK    2002 -> 1000 on {RINGING.dstchan.lower()}"
        )
        produce([said(RINGING, over=True)])
        assert line(process) == f"curcdr {RINGING.leg_id} gone"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)

    assert (process.returncode, errors) == (0, "")


def test_nobody_reads_it_any_more(legbook: Legbook, produce: Produce) -> None:
    produce([said(RINGING)])
    with legbook.start("watch") as process:
        line(process)
        assert process.stdout is not None
        process.stdout.close()
        produce([said(replace(RINGING, state="talking"))])
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_what_cannot_be_read_is_told_once_beside_the_rows(legbook: Legbook, produce: Produce) -> None:
    produce([record(LEGS.name, "hq", "hq|4096", b"nonsense"), said(RINGING)])
    with legbook.start("watch") as process:
        assert line(process).startswith(f"curcdr {RINGING.leg_id} hq RINGING")
        produce([said(RINGING, over=True)])
        assert line(process) == f"curcdr {RINGING.leg_id} gone"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)

    assert errors.count("unreadable: pbx.calls.legs.v1 ") == 1


def test_without_kafka() -> None:
    code, lines, errors = Legbook("127.0.0.1:1").run("watch")

    assert (code, lines) == (78, [])
    assert "KAFKA_BOOTSTRAP_SERVERS says where Kafka is" in errors
