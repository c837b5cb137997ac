"""JSON Schema 2020-12 of every message, from its struct: in few words, for readers in any language."""

from typing import Any, Final

import msgspec
from msgspec import Struct, inspect

from legbook.contracts import commands, legs, raw, status
from legbook.contracts.topics import TOPICS

Json = dict[str, Any]

STRUCTS: Final[dict[str, type[Struct]]] = {
    name: kind
    for module in (raw, legs, status, commands)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Struct)
}
MESSAGES: Final = tuple(dict.fromkeys(name for topic in TOPICS for name in topic.messages))
_KEYS: Final = ("description", "type", "const", "enum", "format", "properties", "required", "items", "anyOf")


def schema(name: str) -> Json:
    """Of one message, with everything it refers to."""
    _, found = msgspec.json.schema_components([STRUCTS[name]], ref_template="#/$defs/{name}")
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
    found = inspect.type_info(STRUCTS[name])
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
