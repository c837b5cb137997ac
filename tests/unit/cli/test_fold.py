"""`legbook fold`: every kind of file gives the same legs; a bad one gives one clear line."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from legbook.cli import app
from legbook.contracts.raw import RawRecord
from tests.recorded import RING_GROUP, entries

_PHONES = [("201", "NO ANSWER"), ("202", "ANSWERED"), ("203", "NO ANSWER")]


def _run(*arguments: str | Path) -> tuple[int, list[dict[str, Any]], str]:
    result = CliRunner().invoke(app, ["fold", "--json", *map(str, arguments)])
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return result.exit_code, lines, result.stderr


def _events() -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in gzip.decompress(RING_GROUP.read_bytes()).splitlines()]
    return [row["event"] for row in rows if "event" in row]


def _text() -> bytes:
    def lines(event: dict[str, Any]) -> str:
        pairs = [(k, v) for k, vs in event.items() for v in (vs if isinstance(vs, list) else [vs])]
        return "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"

    return b"Asterisk Call Manager/11.0.0\r\n" + "".join(map(lines, _events())).encode()


def _dump() -> bytes:
    placed = entries(RING_GROUP)
    records = [RawRecord(pbx="hq", boot=p.boot, epoch=1, entries=[p.entry]) for p in placed]
    return b"\n".join(msgspec.json.encode(record) for record in records)


@pytest.fixture(params=["jsonl.gz", "jsonl", "json", "json.gz", "txt", "txt.gz", "ndjson", "ndjson.gz"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    kind, _, packed = request.param.partition(".")
    makers = {
        "jsonl": lambda: gzip.decompress(RING_GROUP.read_bytes()),
        "json": lambda: json.dumps(_events()).encode(),
        "txt": _text,
        "ndjson": _dump,
    }
    content = makers[kind]()
    path = tmp_path / f"call.{request.param}"
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def test_every_kind_of_file(file: Path) -> None:
    code, lines, errors = _run(file)

    legs = sorted((line["dstdevice"], line["disposition"]) for line in lines if line["type"] == "leg")
    (talk,) = [line for line in lines if line["type"] == "talk"]
    assert (code, errors) == (0, "")
    assert legs == _PHONES
    assert talk["devices"] == ["sipto45", "202"]
    summary = {
        "type": "summary",
        "legs": 3,
        "open_legs": 0,
        "calls": 1,
        "answered_calls": 1,
        "missed_calls": 0,
    }
    assert {name: lines[-1][name] for name in summary} == summary
    assert lines[-1]["surprises"] == 0


def test_without_any_time_there_are_null_times_and_one_note(tmp_path: Path) -> None:
    timeless = [{k: v for k, v in event.items() if k != "Timestamp"} for event in _events()]
    path = tmp_path / "call.json"
    path.write_text(json.dumps(timeless))

    code, lines, errors = _run(path)

    legs = [line for line in lines if line["type"] == "leg"]
    assert code == 0
    assert len(legs) == 3
    assert {(leg["start"], leg["end"]) for leg in legs} == {(None, None)}
    assert errors.count("\n") == 1
    assert "no times" in errors


def test_two_files_of_the_same_call_are_two_calls() -> None:
    _, lines, _ = _run(RING_GROUP, RING_GROUP)

    assert lines[-1]["legs"] == 6


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("x.pcap", b"", "wanted .txt, .json, .jsonl or .ndjson"),
        ("x.jsonl", b'{"t":1}\n{', "line 2"),
        ("x.jsonl", b"[1]", "line 1: wanted an object"),
        ("x.json", b"{}", "wanted a JSON list of events"),
        ("x.ndjson", b'{"v":2}', "line 1: newer_version"),
        ("x.json.gz", b"not packed", "x.json.gz"),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(name: str, content: bytes, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    code, lines, errors = _run(path)

    assert code == 2
    assert lines == []
    assert errors.count("\n") == 1
    assert str(path) in errors
    assert wanted in errors


def test_a_missing_file(tmp_path: Path) -> None:
    code, _, errors = _run(tmp_path / "none.jsonl")

    assert code == 2
    assert "No such file" in errors


def test_the_table_for_people() -> None:
    result = CliRunner().invoke(app, ["fold", str(RING_GROUP)])

    assert result.exit_code == 0
    assert "ANSWERED" in result.stdout
    assert "answered_calls 1" in result.stdout.replace("\n", "")


@pytest.mark.parametrize("command", [("fold",), ("explain", "--channel", "PJSIP/201-1")])
def test_what_a_caller_calls_himself_is_neither_markup_nor_a_control_sequence(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "events.txt"
    file.write_bytes(
        b"Event: Newchannel\r\nChannel: PJSIP/201-1\r\nUniqueid: 1.1\r\nChannelState: 4\r\nTimestamp: 1.0\r\n"
        b"CallerIDNum: [/x]\x1b[31m\r\nExten: 202\r\nContext: from-internal\r\n\r\n"
        b"Event: Hangup\r\nTimestamp: 2.0\r\nChannel: PJSIP/201-1\r\nUniqueid: 1.1\r\nCause: 16\r\n\r\n"
    )

    done = CliRunner().invoke(app, [command[0], str(file), *command[1:]])

    assert done.exit_code == 0, done.output
    assert "[/x]\\x1b[31m" in done.output
    assert "\x1b" not in done.output
