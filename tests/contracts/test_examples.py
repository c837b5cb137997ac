import base64
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from msgspec import inspect

from legbook.ami.framing import Frame
from legbook.ami.message import parse
from legbook.contracts import codec, examples
from legbook.contracts.raw import Entry, Event
from legbook.contracts.schemas import MESSAGES
from legbook.contracts.topics import TOPICS
from tests.contracts.folder import (
    COMMANDS,
    CONTRACTS,
    DECODERS,
    EXAMPLES,
    LETTERS,
    encoded,
    example,
    label,
    message_of,
    read,
    validator,
)

every_example = pytest.mark.parametrize("path", EXAMPLES, ids=label)


@every_example
def test_an_example_is_valid_by_its_schema(path: Path) -> None:
    validator(message_of(path)).validate(read(path))


@every_example
def test_an_example_round_trips_through_the_codec(path: Path) -> None:
    data = path.read_bytes()
    decoded = DECODERS[message_of(path)](data)
    assert decoded in [each.message for each in examples.EXAMPLES]
    assert DECODERS[message_of(path)](codec.encode(decoded)) == decoded
    assert encoded(read(path)) == encoded(json.loads(codec.encode(decoded)))


@pytest.mark.parametrize("path", [path for path in EXAMPLES if message_of(path) not in COMMANDS], ids=label)
def test_unknown_fields_are_ignored_by_decoders_and_schemas(path: Path) -> None:
    known, grown = read(path), _grown(read(path))
    assert grown != known
    assert DECODERS[message_of(path)](encoded(grown)) == DECODERS[message_of(path)](encoded(known))
    validator(message_of(path)).validate(grown)


@pytest.mark.parametrize("verb", COMMANDS)
@pytest.mark.parametrize("where", [[], ["args"]])
def test_an_unknown_field_of_a_command_is_refused(verb: str, where: list[str]) -> None:
    """It may be the one that mattered."""
    command = example(verb)
    part = command
    for name in where:
        part = part[name]
    part["force"] = True

    assert not validator(verb).is_valid(command)
    with pytest.raises(codec.BadMessageError, match="unknown field `force`"):
        codec.decode_command(encoded(command))


def _grown(value: Any) -> Any:
    """With a new field in every object but the header fields of an event, whose names are data."""
    if isinstance(value, list):
        return [_grown(each) for each in value]
    if not isinstance(value, dict):
        return value
    grown = {name: each if name == "fields" else _grown(each) for name, each in value.items()}
    return {"not_yet_invented": {"since": [2, None]}, **grown, "x": "y"}


def test_every_message_of_every_topic_has_an_example() -> None:
    wanted = {(topic.name, message) for topic in TOPICS for message in topic.messages}
    assert {(path.parent.name, message_of(path)) for path in EXAMPLES} == wanted


@pytest.mark.parametrize("message", MESSAGES)
def test_a_schema_is_a_schema_with_a_name_and_a_meaning(message: str) -> None:
    schema = read(CONTRACTS / f"schemas/{message}.v1.schema.json")
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:legbook:{message}:v1"
    assert schema["title"] == message
    assert schema["description"]


def test_every_kind_of_entry_occurs() -> None:
    (path,) = [path for path in EXAMPLES if message_of(path) == "RawRecord"]
    known = {
        info.tag
        for kind in get_args(Entry)
        if isinstance(info := inspect.type_info(kind), inspect.StructType)
    }
    assert {entry["kind"] for entry in read(path)["entries"]} == known
    assert known == {
        "event",
        "connection.up",
        "connection.down",
        "heartbeat",
        "gap",
        "snapshot.begin",
        "snapshot.channel",
        "snapshot.item",
        "snapshot.end",
        "drop",
    }


def test_every_kind_of_leg_occurs() -> None:
    legs = [read(path) for path in EXAMPLES if message_of(path) == "Leg"]
    assert {leg["kind"] for leg in legs} == {"dial", "caller", "bridge"}
    for topic, ended in (("pbx.calls.legs.v1", False), ("pbx.calls.cdr.v1", True)):
        states = {read(path)["state"] for path in EXAMPLES if path.parent.name == topic}
        assert (states == {"ended"}) is ended
        assert ("ended" in states) is ended


def test_entries_are_numbered_as_in_a_socket() -> None:
    numbers = [entry.seq for entry in examples.RECORD.entries]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    received = [entry.received_at for entry in examples.RECORD.entries if entry.received_at]
    assert received == sorted(received)


def test_the_odd_event_is_what_its_bytes_give() -> None:
    (odd,) = [each for each in examples.RECORD.entries if isinstance(each, Event) and each.raw_b64]
    message = parse(Frame(base64.b64decode(odd.raw_b64 or "")))
    assert (message.fields, list(message.flags), message.raw_b64) == (odd.fields, odd.flags, odd.raw_b64)


def test_seconds_of_the_finished_legs_add_up() -> None:
    for leg in (examples.TRANSFERRED, examples.RETRIEVED):
        talked = sum((talk.end - talk.start).total_seconds() for talk in leg.talks if talk.end)
        assert leg.billsec == pytest.approx(talked)
    for leg in (examples.TRANSFERRED, examples.RETRIEVED, examples.ECHO_TEST):
        assert leg.end
        assert leg.src_up
        assert leg.billsec_leg_a == pytest.approx((leg.end - leg.src_up).total_seconds())


@pytest.mark.parametrize("path", LETTERS, ids=label)
def test_a_dead_letter_says_why_the_codec_refuses_its_bytes(path: Path) -> None:
    letter = read(path)
    decode = codec.decode_raw if letter["headers"]["topic"] == "pbx.ami.raw.v1" else codec.decode_leg
    with pytest.raises(codec.BadMessageError) as refused:
        decode(letter["value"].encode())
    assert str(refused.value) == letter["headers"]["reason"]
    assert path.parent.name == f"{letter['headers']['topic']}.dlq"
