"""The folder `contracts/`, written from the structs, the topic table and the examples, for readers in any language.

JSON Schema 2020-12 and AsyncAPI 3 as JSON, which every language can parse; nothing in there is edited by hand.
`python -m legbook.contracts.generate [--check] [FOLDER]`
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct, inspect

from legbook.contracts import codec, legs, raw, status
from legbook.contracts.examples import EXAMPLES, LETTERS
from legbook.contracts.topics import (
    CDR,
    CHECKPOINTS,
    DLQ_HEADERS,
    LEGS,
    OWNERS,
    RAW,
    STATUS,
    TOPICS,
    Topic,
    dlq_topics,
    partition_of,
)

Json = dict[str, Any]

_STRUCTS: Final[dict[str, type[Struct]]] = {
    name: kind
    for module in (raw, legs, status)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Struct)
}
MESSAGES: Final = tuple(dict.fromkeys(name for topic in TOPICS for name in topic.messages))
ALL_TOPICS: Final = (*TOPICS, *dlq_topics())
_KEYS: Final = ("description", "type", "const", "enum", "format", "properties", "required", "items", "anyOf")
_NAME: Final = "[a-z0-9][a-z0-9_-]{0,31}"
_OTHERS: Final = "other_services"

SENDS: Final = {
    "ami_ingest": (RAW, OWNERS, STATUS),
    "curcdr_projector": (STATUS, CHECKPOINTS, LEGS, CDR),
}
RECEIVES: Final = {
    "ami_ingest": (OWNERS, STATUS),
    "curcdr_projector": (RAW, CHECKPOINTS),
    "cdr_archiver": (CDR,),
    _OTHERS: (STATUS, LEGS, CDR),
}
# In the design, not yet in the code; a test compares.
PLANNED: Final = frozenset({("ami_ingest", STATUS.name), ("curcdr_projector", STATUS.name)})


def schema(name: str) -> Json:
    """Of one message, with everything it refers to."""
    _, found = msgspec.json.schema_components([_STRUCTS[name]], ref_template="#/$defs/{name}")
    defs = {each: _struct(each, body) for each, body in found.items()}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:legbook:{name}:v1",
        **defs.pop(name),
    }
    return head | ({"$defs": defs} if defs else {})


def _struct(name: str, body: Json) -> Json:
    """What msgspec leaves out: every datetime is an RFC 3339 time; and what `v` is for."""
    body = _plain(body)
    for field in _fields(name):
        about = body["properties"][field.encode_name]
        if _is_time(field.type):
            about["format"] = "date-time"
        if field.encode_name == "v":
            about["description"] = "Version of this message. A newer one is not for this reader: to the DLQ."
        body["properties"][field.encode_name] = _ordered(about)
    if not body["required"]:
        del body["required"]
    return {"title": body.pop("title"), **body}


def _fields(name: str) -> tuple[inspect.Field, ...]:
    found = inspect.type_info(_STRUCTS[name])
    assert isinstance(found, inspect.StructType)  # noqa: S101  # for the type checker
    return found.fields


def _is_time(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _is_time(kind.type)
    if isinstance(kind, inspect.UnionType):
        return any(_is_time(each) for each in kind.types)
    return isinstance(kind, inspect.DateTimeType)


def _plain(node: Any) -> Any:
    """The same schema in fewer words: `type: [string, null]`, `const`, no OpenAPI discriminator."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    fields = {name: _plain(each) for name, each in node.get("properties", {}).items()}
    node = {key: _plain(each) for key, each in node.items() if key not in {"discriminator", "properties"}}
    node |= {"properties": fields} if fields else {}
    if len(node.get("enum", ())) == 1:
        node["const"] = node.pop("enum")[0]
    node = _nullable(node)
    return _ordered(node)


def _nullable(node: Json) -> Json:
    """`X or null` as one schema, where X is no reference."""
    choices = node.get("anyOf", ())
    some = [each for each in choices if each != {"type": "null"}]
    if len(some) != 1 or len(choices) != 2 or "$ref" in some[0]:
        return node
    merged = {**some[0], **{key: value for key, value in node.items() if key != "anyOf"}}
    if "enum" in merged:
        merged["enum"] = [*merged["enum"], None]
    else:
        merged["type"] = [merged["type"], "null"]
    return merged


def _ordered(node: Json) -> Json:
    known = {key: node[key] for key in _KEYS if key in node}
    return known | {key: value for key, value in node.items() if key not in known}


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
    return text.split(",") if name == "cleanup.policy" else json.loads(text)


def _names(topic: Topic) -> tuple[str, ...]:
    more = {LEGS.name: ("LegTombstone",), CHECKPOINTS.name: ("Checkpoint",)}
    return topic.messages + more.get(topic.name, ()) if topic in TOPICS else (_letter_name(topic),)


def _letter_name(letters: Topic) -> str:
    return f"DeadLetter.{_short(letters.name.removesuffix('.dlq'))}"


def _short(name: str) -> str:
    """pbx.ami.raw.v1 -> raw, pbx.ami.raw.v1.dlq -> raw_dlq"""
    return name.partition(".v")[0].rpartition(".")[2] + ("_dlq" if name.endswith(".dlq") else "")


def _operation(who: str, action: str, topic: Topic) -> Json:
    planned = " Planned: this version does not do it yet." if (who, topic.name) in PLANNED else ""
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"{who} {action}s {topic.name}.{planned}",
        "tags": [{"name": who}],
    }


def _messages() -> Json:
    keys = {name: key for t in TOPICS for name, key in zip(t.messages, t.key.split(", "), strict=False)}
    found = {
        name: {
            "summary": _STRUCTS[name].__doc__,
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


def _key(key: str) -> Json:
    patterns = [
        re.escape(each).replace("pbx", _NAME, 1).replace("leg_id", "[0-9]+").replace("<partition>", "[0-9]+")
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


_README: Final = """\
# Contracts of legbook

Generated from `src/legbook/contracts/` by `make contracts`; not edited by hand. What crosses Kafka, for services in
any language.

Read first: one example of what you need (`examples/`), then its schema (`schemas/`), then the channel in
`asyncapi.json` (AsyncAPI 3.0: keys, headers, retention, who sends and who receives).

{topics}

A live wall: read `pbx.calls.legs.v1` from its beginning. Billing, CRM: read `pbx.calls.cdr.v1`. Everything else only
if you must; what is private may change without notice.

## Rules

1. **JSON, UTF-8**, one object a record. Times are RFC 3339 in UTC. Integers are below 2^53. In headers numbers are
   decimal text; `schema` is `<Message>/1`.
2. **Ignore unknown fields**: they come without a new version. **A newer `v` is not for you**: put the record aside
   (your DLQ) and go on; do not guess.
3. **read_committed**: set `isolation.level=read_committed` for `pbx.calls.*`, or you read aborted transactions.
4. **At least once.** A leg is identified by `(pbx, leg_id)`; of two states of it, the one with the higher
   `(epoch, seq)` is newer. In `pbx.calls.cdr.v1` a later record of the same key corrects the earlier one.
5. **Tombstones**: a record of `pbx.calls.legs.v1` with no value says that this leg is over. The topic is
   compacted: after reading to the end, what you hold is what is live. Finished legs are in `pbx.calls.cdr.v1`.
6. **Partition**: all records of a PBX are in one partition of a topic, in order: `(murmur2(pbx) & 0x7fffffff) % P`
   over the UTF-8 bytes of its name **alone, whatever the record's key**, with Kafka's murmur2 and the same P for
   all topics. Default partitioners hash the key, and librdkafka's is not murmur2: who sends names the partition.
7. **A raw record** holds 1 to 256 entries in socket order; `(pbx, epoch, seq)` identifies an entry. Drop entries
   of an epoch lower than the newest you have seen of that PBX: nobody owns it any more.
8. **A dead letter** is the original bytes; its headers say where it was and why it was refused. The examples show
   key, headers and value in one object, the value as text.

To check your murmur2:

{vectors}
"""


def _readme() -> str:
    keys = {t.name: t.key.replace("|", "\\|") for t in ALL_TOPICS}  # a bar would end the cell
    rows = [f"| `{t.name}` | `{keys[t.name]}` | {_kept(t)} | {t.purpose} |" for t in ALL_TOPICS]
    names = ["hq", "branch-2", "a", "pbx_07", "0123456789abcdef0123456789abcdef"]
    vectors = [f"| `{name}` | {partition_of(name, 4)} | {partition_of(name, 12)} |" for name in names]
    return _README.format(
        topics="\n".join(["| topic | key | kept | what |", "|---|---|---|---|", *rows]),
        vectors="\n".join(["| pbx | P = 4 | P = 12 |", "|---|---|---|", *vectors]),
    )


def _kept(topic: Topic) -> str:
    policy, retention = topic.config["cleanup.policy"], topic.config.get("retention.ms")
    return (
        f"{int(retention) // 86_400_000} days"
        if retention
        else policy.replace("compact", "newest of each key")
    )


def contents() -> dict[str, str]:
    """Path in the folder -> text."""
    files = {"README.md": _readme(), "asyncapi.json": _text(asyncapi())}
    files |= {f"schemas/{name}.v1.schema.json": _text(schema(name)) for name in MESSAGES}
    for example in EXAMPLES:
        value = json.loads(codec.encode(example.message))
        files[f"examples/{example.topic}/{example.name}.json"] = _text(value)
    files |= {f"examples/{topic}/DeadLetter.json": _text(letter) for topic, letter in LETTERS.items()}
    return files


def _text(value: Any) -> str:
    """Indented, but a short list of plain values takes one line."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return re.sub(r"\[\n[^][{}]+\n *\]", _one_line, text) + "\n"


def _one_line(found: re.Match[str]) -> str:
    line = re.sub(r"\n *", " ", found[0]).replace("[ ", "[").replace(" ]", "]")
    return line if len(line) < 100 else found[0]


def differing(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Path in the folder -> what is wrong with it; nothing else may be there."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    wrong = dict.fromkeys(there - set(files), "nothing generates it, delete it")
    for name, text in files.items():
        if name not in there or (folder / name).read_bytes() != text.encode():
            wrong[name] = "not as the code says, run make contracts"
    return dict(sorted(wrong.items()))


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="legbook.contracts.generate", description="Writes contracts/ from the code."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("contracts"))
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs, exit 1")
    options = parser.parse_args(arguments)
    files = contents()
    if not options.check:
        write(options.folder, files)
    wrong = differing(options.folder, files)
    sys.stderr.writelines(f"{options.folder / name}: {why}\n" for name, why in wrong.items())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
