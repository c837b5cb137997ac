"""The committed folder `contracts/`: its schemas, examples and AsyncAPI document."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from msgspec import Struct

from legbook.contracts import codec

ROOT: Final = Path(__file__).parents[2]
CONTRACTS: Final = ROOT / "contracts"
EXAMPLES: Final = sorted(path for path in CONTRACTS.glob("examples/*/*.json") if path.stem != "DeadLetter")
LETTERS: Final = sorted(CONTRACTS.glob("examples/*/DeadLetter.json"))

DECODERS: Final[dict[str, Callable[[bytes], Struct]]] = {
    "RawRecord": codec.decode_raw,
    "Owner": codec.decode_owner,
    "IngestStatus": codec.decode_status,
    "ProjectorStatus": codec.decode_status,
    "Leg": codec.decode_leg,
    "Hangup": codec.decode_command,
    "Originate": codec.decode_command,
    "CommandResult": codec.decode_result,
}

COMMANDS: Final = tuple(name for name, decode in DECODERS.items() if decode is codec.decode_command)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def message_of(example: Path) -> str:
    return example.name.partition(".")[0]


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def validator(message: str) -> Draft202012Validator:
    schema = read(CONTRACTS / f"schemas/{message}.v1.schema.json")
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def example(message: str) -> Any:
    """A fresh copy of the first example of a message."""
    return read(next(path for path in EXAMPLES if message_of(path) == message))


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()
