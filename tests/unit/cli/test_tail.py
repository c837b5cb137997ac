"""`legbook tail`: what a person and a program read of every message, and of what is no message."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from msgspec.structs import replace
from typer.testing import CliRunner

from legbook.cli import app
from legbook.cli.lines import belongs, json_lines, lines
from legbook.cli.tail import chosen, names, short
from legbook.contracts import codec
from legbook.contracts.examples import (
    COMMAND,
    ECHO_TEST,
    EXAMPLES,
    LETTERS,
    ORIGINATE,
    RECORD,
    RINGING,
    Example,
)
from legbook.contracts.legs import Flags
from legbook.contracts.raw import Event, RawRecord
from legbook.contracts.topics import (
    CDR,
    CHECKPOINTS,
    COMMANDS,
    LEGS,
    OWNERS,
    RAW,
    RESULTS,
    TOPICS,
    dlq_topics,
    partition_of,
)

_AT = datetime(2026, 11, 23, 1, 36, 20, 500_000, tzinfo=UTC)
_HEAD = "11-23 01:36:20.500  3:42      "

# Without date, place and key.
_RAW = """
01:36:17.900      4711  connection.down  silent: nothing for 15 s, cut
01:36:18.200      4712  heartbeat        down               offset -1.0 ms  rtt 0.4 ms
01:36:19.259      4713  connection.up    Asterisk Call Manager/11.0.0  boot 2026-11-23 01:36:11
01:36:19.259      4714  gap              reconnect: nobody listened since 11-23 01:36:17.901
01:36:19.561      4715  snapshot.begin   as of 11-23 01:36:19.560
01:36:19.568      4716  snapshot.channel PJSIP/sipto45-00000002 1795397779.3  ChannelStateDesc=Ring  \
CallerIDNum=2002  Exten=1000  Application=Dial
01:36:19.568      4717  snapshot.item    1795397779.3                         Variable=DID=(null), \
FROM_DID=30900
01:36:19.568      4718  snapshot.end     1 channels, complete
01:36:19.568      4719  event            DialBegin          PJSIP/sipto45-00000002 1795397779.3  \
DestChannel=PJSIP/202-00000004  DestUniqueid=1795397779.5  DialString=202
01:36:19.570      4720  event            UserEvent          UserEvent=Greeting  Text=gr\ufffdn  \
Colour=red, green  (bad_utf8, dup_header)
01:36:19.572      4721  drop             long: 1  UserEvent  4,096 bytes
"""
_TOLD = {
    "Owner": "epoch 1795397755  ingest-1  process 6f1c2d9a4b7e4f0c8a35d1e2b3c4d5e6  boot 2026-11-23 01:36:11",
    "IngestStatus": "up    since 11-23 01:36:19.260  Asterisk 22.10.1  boot 2026-11-23 01:36:11  "
    "last gap 11-23 01:36:19.260",
    "ProjectorStatus": "lag 0.031 s  3 live legs  0 late entries  suspect since 11-23 01:36:19.260",
    "Leg.caller waiting": "waiting   201 -> 999            phone -           since 11-23 01:36:41.302",
    "Leg.dial ringing": "ringing   2002 -> 1000          phone 202         since 11-23 01:36:19.673",
    "Leg.bridge ended": "ANSWERED   2002 -> 203           phone 203         billsec     2.5  hangup",
    "Leg.caller ended": "ANSWERED   201 -> 999            phone -           billsec     0.0  hangup",
    "Leg.dial ended": "ANSWERED   202 -> 203            phone 203         billsec    13.1  hangup  "
    "via_local, consult",
    "Originate": f"{ORIGINATE.command_id}  originate  PJSIP/201 then 90555123@from-internal  crm/alice  "
    "until 11-23 01:36:45.000",
    "Hangup": f"{COMMAND.command_id}  hangup  leg 244564703510529 dst  crm/alice  until 11-23 01:36:26.000",
    "CommandResult": "done      1 channel hung up  [1795397779.5]",
}


def _record(
    topic: str, value: bytes | None, key: bytes | None = b"k", headers: Mapping[str, str] | None = None
) -> "ConsumerRecord[bytes, bytes]":
    packed = tuple((name, text.encode()) for name, text in (headers or {}).items())
    at = int(_AT.timestamp() * 1000)
    made: Any = ConsumerRecord  # our stub shows only what is read
    record: ConsumerRecord[bytes, bytes] = made(topic, 3, 42, at, 0, key, value, None, 0, 0, packed)
    return record


def _what(record: "ConsumerRecord[bytes, bytes]") -> str:
    """Behind time, place and key."""
    (line,) = lines(record)
    assert line.startswith(f"{_HEAD}k ")
    return re.sub(r"^k +", "", line.removeprefix(_HEAD))


def _as_json(record: "ConsumerRecord[bytes, bytes]") -> dict[str, object]:
    (line,) = json_lines(record)
    found: dict[str, object] = json.loads(line)
    return found


@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if each.message is not RECORD], ids=lambda each: each.name
)
def test_one_line_a_message(example: Example) -> None:
    state = getattr(example.message, "state", "") if example.name.startswith("Leg") else ""

    told = _what(_record(example.topic, codec.encode(example.message)))

    assert told == _TOLD[f"{example.name} {state}".strip()]


def test_one_line_an_entry_of_a_raw_record() -> None:
    told = lines(_record(RAW.name, codec.encode(RECORD)))

    assert [line.replace(f"  3:42      {'k':<20}", "").removeprefix("11-23 ") for line in told] == _RAW.split(
        "\n"
    )[1:-1]


def test_a_key_that_is_a_command_is_aligned_too() -> None:
    (line,) = lines(_record(RESULTS.name, None, COMMAND.command_id.encode()))

    assert line == f"{_HEAD}{COMMAND.command_id}  gone"


def test_a_tombstone_is_gone() -> None:
    assert _what(_record(LEGS.name, None)) == "gone"


@pytest.mark.parametrize("topic", LETTERS)
def test_a_dead_letter_begins_with_its_reason(topic: str) -> None:
    letter = LETTERS[topic]
    headers, value = letter["headers"], letter["value"]
    assert isinstance(headers, dict)
    assert isinstance(value, str)

    told = _what(_record(topic, value.encode(), headers=headers))

    assert told == f"{headers['reason']}  of {headers['topic']} 3:118204  {value}"


def test_a_dead_letter_names_its_entry_and_may_be_long_or_empty() -> None:
    headers = {"reason": "rule_error: x", "topic": RAW.name, "partition": "1", "offset": "2", "entry": "7.8"}

    assert (
        _what(_record(RAW.dlq, b"a" * 100, headers=headers))
        == f"rule_error: x  of {RAW.name} 1:2  entry 7.8  {'a' * 80}…"
    )
    assert _what(_record(RAW.dlq, None)) == "no reason  of ? ?:?"


def test_a_checkpoint_is_its_size_and_a_cursor_its_offsets() -> None:
    (cursor,) = lines(_record(CHECKPOINTS.name, b'{"checkpoint":118,"published":120}', b"cursor|3"))

    assert _what(_record(CHECKPOINTS.name, b"\x83" * 4000)) == "state of the fold, 4,000 bytes"
    assert cursor == f"{_HEAD}cursor|3              checkpoint 118  published 120"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"hello", "unreadable: bad_message: JSON is malformed: invalid character (byte 0): hello"),
        (b'{"v":2}', 'unreadable: newer_version: v is 2, this reader knows 1: {"v":2}'),
        (b"", "unreadable: bad_message: Input data was truncated:"),
    ],
)
@pytest.mark.parametrize("topic", [each.name for each in TOPICS if each is not CHECKPOINTS])
def test_what_is_no_message_says_why(topic: str, value: bytes, told: str) -> None:
    assert _what(_record(topic, value)) == told


def test_what_is_nested_too_deep_says_so() -> None:
    told = _what(_record(COMMANDS.name, b'{"x":' + b"[" * 200_000))

    assert told.startswith("unreadable: bad_message:")
    assert told.endswith("[[[…")


def test_a_caller_cannot_write_on_our_terminal() -> None:
    evil = replace(RINGING, src="\x1b[2J\r\n\u202e2002")

    assert _what(_record(LEGS.name, codec.encode(evil))).startswith(
        r"ringing   \x1b[2J\r\n\u202e2002 -> 1000"
    )


def test_times_beyond_the_calendar_are_not_known() -> None:
    owner = b'{"v":1,"pbx":"hq","epoch":1,"worker":"w","process":"p","boot":9000000000000000000}'
    record = _record(OWNERS.name, owner)
    command = codec.encode(COMMAND).replace(b"2026-11-23T01:36:26Z", b"0001-01-01T00:00:00+02:00")

    assert _what(record) == "epoch 1  w  process p"
    assert _what(_record(COMMANDS.name, command)).endswith("until ?")


def test_a_talk_counts_from_its_answer_and_flags_say_who() -> None:
    leg = replace(
        RINGING, state="talking", answer=_AT, flags=Flags(pickup=True, after_transfer_by="203", spy_on=None)
    )

    told = _what(_record(LEGS.name, codec.encode(leg)))

    assert told == (
        "talking   2002 -> 1000          phone 202         since 11-23 01:36:20.500  "
        "pickup, after_transfer_by=203"
    )


def test_an_outcome_that_is_not_known_has_a_place() -> None:
    leg = replace(ECHO_TEST, disposition=None, end_reason=None, src="")

    assert _what(_record(CDR.name, codec.encode(leg))) == (
        "-          - -> 999              phone -           billsec     0.0  ended"
    )


def _event(name: str, **fields: str | list[str]) -> str:
    event = Event(seq=1, at=None, received_at=None, name=name, fields={"Event": name, **fields})
    line = _what(
        _record(RAW.name, codec.encode(RawRecord(pbx="hq", boot=None, epoch=1, entries=[event]))),
    )
    return line.removeprefix("1  event            ")


def test_an_event_says_what_others_of_its_kind_do_not() -> None:
    common: dict[str, str | list[str]] = {
        "Channel": "PJSIP/201-1",
        "ChannelState": "6",
        "ChannelStateDesc": "Up",
        "Language": "en",
        "Uniqueid": "1.1",
        "Linkedid": "1.1",
    }

    assert (
        _event("Newstate", **common)
        == "Newstate           PJSIP/201-1 1.1" + " " * 20 + "  ChannelStateDesc=Up"
    )
    assert _event("Hangup", **common, Cause="16", **{"Cause-txt": "Normal Clearing"}) == (
        "Hangup             PJSIP/201-1 1.1" + " " * 20 + "  Cause=16  Cause-txt=Normal Clearing"
    )
    assert _event("Empty", Value="", Other="b" * 61) == f"Empty              Other={'b' * 59}…"
    assert _event("Many", A="1", B="2", C="3", D="4", E="5") == "Many               A=1  B=2  C=3  D=4"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: f"{each.topic}-{each.name}")
def test_json_is_the_value_and_its_place(example: Example) -> None:
    value = codec.encode(example.message)

    assert _as_json(_record(example.topic, value, headers={"pbx": "hq"})) == {
        "topic": example.topic,
        "partition": 3,
        "offset": 42,
        "at": "2026-11-23T01:36:20.500000Z",
        "key": "k",
        "headers": {"pbx": "hq"},
        "value": json.loads(value),
    }


def test_json_of_a_value_over_several_lines_is_one_line() -> None:
    (line,) = json_lines(_record(COMMANDS.name, b'{\n  "v": 123456789012345678901234567890\n}'))

    assert "\n" not in line
    assert json.loads(line)["value"] == {"v": 123456789012345678901234567890}


def test_json_of_what_is_no_json() -> None:
    found = _as_json(_record(LEGS.name, b"\xff\n"))
    deep = _as_json(_record(LEGS.name, b"[" * 200_000))
    nothing = _as_json(_record(LEGS.name, b""))

    assert (found["value_b64"], "value" in found) == ("/wo=", False)
    assert str(found["error"]).startswith("bad_message: ")
    assert len(str(deep["value_b64"])) > 200_000
    assert (nothing["value_b64"], nothing["error"]) == ("", "bad_message: Input data was truncated")


def test_json_of_nothing_and_of_a_checkpoint_has_no_error() -> None:
    tombstone = _as_json(_record(LEGS.name, None, None))
    checkpoint = _as_json(_record(CHECKPOINTS.name, b"\x83"))

    assert (tombstone["value"], tombstone["key"], "error" in tombstone) == (None, None, False)
    assert (checkpoint["value_b64"], "error" in checkpoint) == ("gw==", False)


def test_a_record_belongs_to_the_pbx_of_its_header_key_or_value() -> None:
    assert belongs(_record(RESULTS.name, b"", b"some-id", {"pbx": "hq"}), "hq")
    assert belongs(_record(LEGS.name, None, b"hq|17"), "hq")
    assert belongs(_record(COMMANDS.name, codec.encode(COMMAND), None), "hq")
    assert not belongs(_record(COMMANDS.name, codec.encode(COMMAND), b"hq2|1", {"pbx": "hq3"}), "h")
    assert not belongs(_record(COMMANDS.name, b"\xff" + b"[" * 9999, b"\xff"), "hq")


def test_only_the_partition_of_a_pbx_is_read_unless_others_write_it() -> None:
    assert chosen(RAW, None, 4) == range(4)
    assert chosen(RAW, "hq", 4) == [partition_of("hq", 4)]
    assert chosen(COMMANDS, "hq", 4) == range(4)
    assert [chosen(letters, "hq", 4) for letters in dlq_topics()] == [range(4)] * 3


def test_every_topic_has_a_full_and_a_short_name() -> None:
    every = (*TOPICS, *dlq_topics())

    assert [short(topic) for topic in every] == [
        *("raw", "owners", "status", "checkpoints", "legs", "cdr", "commands", "results"),
        *("raw.dlq", "cdr.dlq", "commands.dlq"),
    ]
    assert all(names()[topic.name] == names()[short(topic)] == topic for topic in every)


def test_a_topic_that_is_not_ours_lists_those_that_are() -> None:
    result = CliRunner().invoke(app, ["tail", "rows"])

    assert result.exit_code == 2
    assert result.stderr == (
        "legbook tail: there is no topic rows: raw, owners, status, checkpoints, legs, cdr, commands, results, "
        "raw.dlq, cdr.dlq, commands.dlq, or a full name\n"
    )


def test_nothing_to_print_is_refused() -> None:
    result = CliRunner().invoke(app, ["tail", "raw", "--no-follow"])

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "legbook tail: --no-follow prints what is there: add --from-beginning\n"
