import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator

from ami_ingest import owners
from ami_ingest.publisher import Publisher
from curcdr_projector.outputs import Outputs, cursor_key, leg_key
from legbook.contracts import codec, examples, topics
from legbook.contracts.asyncapi import RECEIVES, SENDS
from legbook.contracts.topics import TOPICS, Topic, dlq_topics
from legbook.runtime.dlq import letter
from tests.contracts.folder import CONTRACTS, LETTERS, label, read

DOCUMENT = read(CONTRACTS / "asyncapi.json")
CHANNELS = DOCUMENT["channels"]
MESSAGES = DOCUMENT["components"]["messages"]
ALL = (*TOPICS, *dlq_topics())
Headers = dict[str, str]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def resolve(reference: str) -> Any:
    found = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def test_it_is_asyncapi_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    allowed = {
        "asyncapi",
        "id",
        "info",
        "servers",
        "defaultContentType",
        "channels",
        "operations",
        "components",
    }
    assert set(DOCUMENT) <= allowed
    assert all(re.fullmatch(r"[\w.-]+", name) for name in MESSAGES)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    for reference in found:
        if reference.startswith("#/"):
            assert isinstance(resolve(reference), dict), reference
        else:
            assert (CONTRACTS / reference).is_file(), reference
    schemas = {f"./schemas/{path.name}" for path in (CONTRACTS / "schemas").iterdir()}
    assert schemas == {reference for reference in found if not reference.startswith("#/")}


def test_every_topic_is_a_channel_and_nothing_else_is() -> None:
    assert list(CHANNELS) == [topic.name for topic in ALL]
    assert all(channel["address"] == name for name, channel in CHANNELS.items())


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_a_channel_says_what_the_topic_table_says(topic: Topic) -> None:
    channel = CHANNELS[topic.name]
    assert channel["description"] == topic.purpose
    assert channel["x-key"] == topic.key
    assert "murmur2(pbx)" in channel["x-partitions"]
    config = channel["bindings"]["kafka"]["topicConfiguration"]
    told = {
        name: ",".join(value) if isinstance(value, list) else str(value) for name, value in config.items()
    }
    assert told == topic.config
    assert set(topic.messages) <= set(channel["messages"])
    assert channel["messages"]


def test_every_message_is_on_a_channel() -> None:
    assert {name for channel in CHANNELS.values() for name in channel["messages"]} == set(MESSAGES)


def test_every_channel_has_a_sender_and_operations_are_complete() -> None:
    operations = DOCUMENT["operations"].values()
    for operation in operations:
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in CHANNELS
    sent = {each["channel"]["$ref"] for each in operations if each["action"] == "send"}
    assert sent == {f"#/channels/{name}" for name in CHANNELS}


SERVICES = sorted({*SENDS, *RECEIVES} - {"other_services"})


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_uses_the_topics_it_is_said_to_use(service: str) -> None:
    spec = find_spec(service)
    assert spec
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    source = "\n".join(path.read_text() for path in sorted(folder.glob("*.py")))
    names = {topic.name: name for name, topic in vars(topics).items() if isinstance(topic, Topic)}
    imported = " ".join(
        re.findall(r"^from legbook\.contracts\.topics import (\([^)]*\)|.*)$", source, re.MULTILINE)
    )
    used = {topic for topic, name in names.items() if name in re.findall(r"\w+", imported)}
    said = {topic.name for topic in (*SENDS.get(service, ()), *RECEIVES.get(service, ()))}
    assert used == said


def headers_of(message: str) -> Draft202012Validator:
    return Draft202012Validator(MESSAGES[message]["headers"])


def text(headers: Any) -> Headers:
    return {name: value.decode() for name, value in headers}


def matches(message: str, key: bytes) -> bool:
    return re.search(MESSAGES[message]["bindings"]["kafka"]["key"]["pattern"], key.decode()) is not None


def test_ingest_sends_raw_records_with_these_headers() -> None:
    publisher = Publisher(cast("Any", None), "hq", 4, 1 << 20)
    publisher.put(examples.RECORD, codec.encode(examples.RECORD))
    (waiting,) = publisher._queue
    headers_of("RawRecord").validate(text(waiting.headers))
    assert matches("RawRecord", publisher._key)


def test_ingest_sends_owner_records_with_these_headers() -> None:
    headers_of("Owner").validate(text(owners.record(examples.OWNER).headers))


def test_keys_are_as_told() -> None:
    assert matches("Owner", owners.record(examples.OWNER).key)
    assert matches("Leg", leg_key(examples.RINGING))
    assert matches("Checkpoint", cursor_key(11))
    assert matches("Checkpoint", b"hq")
    assert matches("IngestStatus", b"hq|ingest")
    assert not matches("IngestStatus", b"hq|projector")
    assert not matches("Leg", b"hq")
    assert not matches("RawRecord", b"hq|1")


def test_the_projector_sends_finished_legs_with_these_headers() -> None:
    outputs = Outputs()
    outputs.leg(examples.TRANSFERRED)
    tombstone, finished = outputs.drain()
    assert (tombstone.topic, tombstone.value) == ("pbx.calls.legs.v1", None)
    assert finished.topic == "pbx.calls.cdr.v1"
    headers_of("Leg").validate(text(finished.headers))


@pytest.mark.parametrize("leg", [examples.RINGING, examples.TRANSFERRED], ids=["live", "tombstone"])
def test_the_projector_sends_live_legs_with_these_headers(leg: Any) -> None:
    outputs = Outputs()
    outputs.leg(leg)
    live = outputs.drain()[0]
    headers_of("Leg" if live.value else "LegTombstone").validate(text(live.headers))


@pytest.mark.parametrize("path", LETTERS, ids=label)
def test_dead_letters_have_the_headers_that_are_told(path: Path) -> None:
    example = read(path)
    name = f"DeadLetter.{example['headers']['topic'].split('.')[-2]}"
    headers_of(name).validate(example["headers"])
    assert matches(name, example["key"].encode())
    sent = letter(example["headers"]["topic"], 3, 7, b"hq", b"x", "bad_message: no")
    assert set(text(sent.headers)) == set(example["headers"])
    assert sent.topic == path.parent.name
