"""AsyncAPI 3 of the topics: channels, keys, headers, who sends, who receives. Plain data, to be written as JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Any, Final

from legbook.contracts.schemas import MESSAGES, STRUCTS, Json
from legbook.contracts.topics import (
    CDR,
    CHECKPOINTS,
    COMMANDS,
    DLQ_HEADERS,
    LEGS,
    OWNERS,
    RAW,
    RESULTS,
    STATUS,
    TOPICS,
    Topic,
    dlq_topics,
)

ALL_TOPICS: Final = (*TOPICS, *dlq_topics())
_NAME: Final = "[a-z0-9][a-z0-9_-]{0,31}"
_OTHERS: Final = "other_services"

SENDS: Final = {
    "ami_ingest": (RAW, OWNERS, STATUS),
    "curcdr_projector": (STATUS, CHECKPOINTS, LEGS, CDR),
    "command_gateway": (COMMANDS, RESULTS),
    _OTHERS: (COMMANDS,),
}
RECEIVES: Final = {
    "ami_ingest": (OWNERS, STATUS),
    "curcdr_projector": (RAW, CHECKPOINTS),
    "cdr_archiver": (CDR,),
    "command_gateway": (COMMANDS, RESULTS, LEGS, STATUS),
    _OTHERS: (STATUS, LEGS, CDR, RESULTS),
}


def asyncapi() -> Json:
    """Paths in it are relative to the folder."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "legbook",
            "version": "1.0.0",
            "description": "Every call leg of every Asterisk PBX. Read README.md of this folder first.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:9092",
                "protocol": "kafka",
                "description": "The local stack; elsewhere KAFKA_BOOTSTRAP_SERVERS says where.",
            }
        },
        "channels": {topic.name: _channel(topic) for topic in ALL_TOPICS},
        "operations": _operations(),
        "components": {"messages": _messages()},
    }


def _operations() -> Json:
    """One for each service and topic; who reads a topic sends its dead letters."""
    roles = [(who, "send", topic) for who, topics in SENDS.items() for topic in topics]
    roles += [(who, "receive", topic) for who, topics in RECEIVES.items() for topic in topics]
    readers = {topic.dlq: who for who, action, topic in roles if action == "receive" and who != _OTHERS}
    roles += [(readers[letters.name], "send", letters) for letters in dlq_topics()]
    return {
        f"{who}_{action}_{_short(topic.name)}": _operation(who, action, topic) for who, action, topic in roles
    }


def _channel(topic: Topic) -> Json:
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(topic)},
        "bindings": {
            "kafka": {
                "topicConfiguration": {name: _configured(name, text) for name, text in topic.config.items()},
                "bindingVersion": "0.5.0",
            }
        },
        "x-key": topic.key,
        "x-partitions": "(murmur2(pbx) & 0x7fffffff) % P, whatever the key; P is the same for all topics.",
    }


def _configured(name: str, text: str) -> Any:
    if name == "cleanup.policy":
        return text.split(",")
    return text if name == "message.timestamp.type" else json.loads(text)


def _names(topic: Topic) -> tuple[str, ...]:
    more = {LEGS.name: ("LegTombstone",), CHECKPOINTS.name: ("Checkpoint",)}
    return topic.messages + more.get(topic.name, ()) if topic in TOPICS else (_letter_name(topic),)


def _letter_name(letters: Topic) -> str:
    return f"DeadLetter.{_short(letters.name.removesuffix('.dlq'))}"


def _short(name: str) -> str:
    """pbx.ami.raw.v1 -> raw, pbx.ami.raw.v1.dlq -> raw_dlq"""
    return name.partition(".v")[0].rpartition(".")[2] + ("_dlq" if name.endswith(".dlq") else "")


def _operation(who: str, action: str, topic: Topic) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"{who} {action}s {topic.name}.",
        "tags": [{"name": who}],
    }


def _messages() -> Json:
    keys = {name: key for topic in TOPICS for name, key in _keys(topic)}
    found = {
        name: {
            "summary": STRUCTS[name].__doc__,
            "headers": _headers(name),
            "payload": {"$ref": f"./schemas/{name}.v1.schema.json"},
            **_key(keys[name]),
        }
        for name in MESSAGES
    }
    found["LegTombstone"] = {
        "summary": "No value: this leg is not live any more.",
        "headers": _headers("Leg"),
        "payload": {"type": "null"},
        **_key(LEGS.key),
    }
    found["Checkpoint"] = {
        "summary": "Private to curcdr_projector: msgpack by pbx, JSON by cursor|<partition>.",
        "contentType": "application/octet-stream",
        **_key(CHECKPOINTS.key),
    }
    for letters in dlq_topics():
        found[_letter_name(letters)] = {
            "summary": "The original bytes, which need not be JSON; why they were refused is in the headers.",
            "contentType": "application/octet-stream",
            "headers": _texts(DLQ_HEADERS),
            **_key(letters.key),
        }
    return {name: {"name": name, **body} for name, body in found.items()}


def _keys(topic: Topic) -> Iterator[tuple[str, str]]:
    """(message, its key); where there are more messages than keys they share the last."""
    keys = topic.key.split(", ")
    return zip(topic.messages, chain(keys, repeat(keys[-1])), strict=False)


def _key(key: str) -> Json:
    patterns = [
        re.escape(each)
        .replace("pbx", _NAME, 1)
        .replace("leg_id", "[0-9]+")
        .replace("<partition>", "[0-9]+")
        .replace("command_id", "[A-Za-z0-9._:-]{1,64}")
        .replace("<digest>", "[0-9a-f]{16}")
        for each in key.split(", ")
    ]
    about = {"type": "string", "description": key, "pattern": f"^({'|'.join(patterns)})$"}
    return {"bindings": {"kafka": {"key": about, "bindingVersion": "0.5.0"}}}


def _headers(name: str) -> Json:
    found = _texts({"schema": f"Always `{name}/1`.", "pbx": "Name of the PBX."})
    found["properties"]["schema"]["const"] = f"{name}/1"
    found["properties"]["pbx"]["pattern"] = f"^{_NAME}$"
    if name in RAW.messages:
        numbers = {
            "epoch": "As in the value.",
            "first_seq": "Number of the first entry.",
            "last_seq": "Number of the last entry.",
            "n": "How many entries.",
        }
        more = _texts(numbers)
        for each in more["properties"].values():
            each["pattern"] = "^[0-9]+$"
        found["properties"] |= more["properties"]
        found["required"] += more["required"]
    return found


def _texts(about: Mapping[str, str]) -> Json:
    """Header values are UTF-8 text, numbers too."""
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": text} for name, text in about.items()},
        "required": list(about),
    }
