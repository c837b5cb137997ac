"""Bytes -> a command, or why not. That every field is checked is tested with the contracts."""

import json
from typing import Any

import pytest

from command_gateway import reading
from command_gateway.refusals import RefusedError, UnanswerableError
from legbook.contracts import codec, examples

GOOD = codec.encode(examples.COMMAND)


def changed(**more: Any) -> bytes:
    return json.dumps(json.loads(GOOD) | more).encode()


def test_a_command_is_read_as_it_was_written() -> None:
    envelope = reading.open_(GOOD)

    assert reading.read(envelope, GOOD) == examples.COMMAND
    assert (envelope.command_id, envelope.pbx) == (examples.COMMAND.command_id, "hq")
    assert envelope.digest == examples.RESULT.digest


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{", b"null", b"[1]", b'"hq"', b"\xff\xfe", b"{}", b'{"command_id":null}', b'{"command_id":"a\\n"}',
     changed(command_id="x" * 65), changed(command_id=["a"]),
     b"[" * 5000 + b"]" * 5000],
)  # fmt: skip
def test_what_has_no_usable_id_cannot_be_answered(value: bytes | None) -> None:
    with pytest.raises(UnanswerableError, match="^bad_json: "):
        reading.open_(value)


def _nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = {"a": found}
    return found


@pytest.mark.parametrize("verb", [_nested(300), "explode", None, 7, ["hangup"], "HANGUP", ""])
def test_an_unknown_verb_is_told_with_the_known_ones(verb: object) -> None:
    value = changed(verb=verb)

    with pytest.raises(RefusedError, match="^verb: .* is none of hangup") as error:
        reading.read(reading.open_(value), value)
    assert error.value.reason == "unknown_verb"


def test_what_is_larger_than_any_command_is_not_even_read() -> None:
    """Compressed, a hundred megabytes of nothing pass the topic's limit."""
    with pytest.raises(UnanswerableError, match="2,000,001 bytes, a command has 2,000,000 at most"):
        reading.open_(b" " * 2_000_001)


def test_a_huge_value_gives_a_short_message() -> None:
    value = changed(verb="x" * (1 << 20))

    with pytest.raises(RefusedError) as error:
        reading.read(reading.open_(value), value)
    assert len(str(error.value)) <= 200


@pytest.mark.parametrize("pbx", [None, 7, {"name": "hq"}])
def test_a_pbx_that_is_no_text_is_refused_by_name(pbx: object) -> None:
    value = changed(pbx=pbx)
    envelope = reading.open_(value)

    with pytest.raises(RefusedError, match=r"\$\.pbx"):
        reading.read(envelope, value)
    assert envelope.pbx == ""
