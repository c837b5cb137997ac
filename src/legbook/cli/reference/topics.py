"""docs/reference/topics.md, from the table of topics, their AsyncAPI, and the schemas of their messages."""

from collections.abc import Iterator
from typing import Any, Final

from legbook.cli.reference.markdown import HEAD, anchor, fields, table
from legbook.contracts.asyncapi import ALL_TOPICS, RECEIVES, SENDS, asyncapi
from legbook.contracts.examples import EXAMPLES
from legbook.contracts.generate import kept
from legbook.contracts.schemas import MESSAGES, schema
from legbook.contracts.topics import DLQ_HEADERS, TOPICS, Topic

_CONTRACTS: Final = "../../contracts"
_OTHERS: Final = "other_services"


def page() -> Iterator[str]:
    yield "# Topics and messages\n"
    yield (
        "A record is JSON in UTF-8, headers are text. All records of a PBX are in one partition of a topic, "
        "`(murmur2(pbx) & 0x7fffffff) % P` whatever the key, with the same number P of partitions for all topics "
        "(`--partitions` of `legbook topics apply`). "
        f"[The rules for readers and writers]({_CONTRACTS}/README.md#rules). {HEAD}"
    )
    yield from table(
        ("topic", "key", "kept", "what"),
        ((_to(t.name), f"`{t.key}`", kept(t), t.purpose) for t in ALL_TOPICS),
    )
    for topic in TOPICS:
        yield from _topic(topic)
    yield from _dead_letters()
    for name in MESSAGES:
        yield from _message(name)


def _topic(topic: Topic) -> Iterator[str]:
    yield f"## {topic.name}\n"
    yield f"{topic.purpose}\n"
    yield f"- Key: `{topic.key}`. Kept: {kept(topic)}."
    yield f"- Settings: {_config(topic)}."
    yield f"- Sent by {_who(SENDS, topic)}; read by {_who(RECEIVES, topic)}."
    letters = next((each for each in ALL_TOPICS if each.name == topic.dlq), None)
    if letters:
        yield f"- What its reader refuses goes to {_to(letters.name)}."
    if topic.messages:
        yield f"- Messages: {', '.join(map(_to, topic.messages))}. Examples: {_examples(topic)}."
    yield ""


def _config(topic: Topic) -> str:
    return ", ".join(f"`{name}={value}`" for name, value in topic.config.items())


def _who(roles: dict[str, tuple[Topic, ...]], topic: Topic) -> str:
    return ", ".join(_named(who) for who, theirs in roles.items() if topic in theirs)


def _named(who: str) -> str:
    return "any service" if who == _OTHERS else f"[{who}](../../services/{who}/README.md)"


def _to(heading: str) -> str:
    return f"[`{heading}`]({anchor(heading)})"


def _examples(topic: Topic) -> str:
    names = [each.name for each in EXAMPLES if each.topic == topic.name]
    return ", ".join(f"[{name}]({_CONTRACTS}/examples/{topic.name}/{name}.json)" for name in names)


def _dead_letters() -> Iterator[str]:
    for letters in ALL_TOPICS:
        if letters not in TOPICS:
            example = f"{_CONTRACTS}/examples/{letters.name}/DeadLetter.json"
            yield f"## {letters.name}\n"
            yield f"{letters.purpose}\n"
            yield f"- Key: as in that topic. Kept: {kept(letters)}."
            yield f"- Settings: {_config(letters)}."
            yield f"- Messages: {_to('Dead letter')}. Example: [DeadLetter]({example}).\n"
    yield "## Dead letter\n"
    yield "The value is the original bytes, which need not be JSON. Headers:\n"
    rows = ((f"`{name}`", "text", text) for name, text in DLQ_HEADERS.items())
    yield from table(("header", "type", "meaning"), rows)


def _message(name: str) -> Iterator[str]:
    about = schema(name)
    yield f"## {name}\n"
    yield f"{about['description']}\n"
    yield f"- Schema: [{name}.v1.schema.json]({_CONTRACTS}/schemas/{name}.v1.schema.json)."
    yield f"- Headers: {'; '.join(_headers(name))}.\n"
    if name == "Leg":
        yield "Its fields have a page of their own: [a leg](legs.md).\n"
        return
    yield from fields(about)
    for other in about.get("$defs", {}).values():
        yield f"### {other['title']}\n"
        yield f"{other['description']}\n"
        yield from fields(other)


def _headers(name: str) -> Iterator[str]:
    found: dict[str, Any] = asyncapi()["components"]["messages"][name]["headers"]["properties"]
    for header, about in found.items():
        yield f"`{header}`: {about['description'].removesuffix('.')}"
