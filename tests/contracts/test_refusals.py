from collections.abc import Callable
from typing import Any

import pytest

from legbook.contracts.codec import BadMessageError
from legbook.contracts.schemas import MESSAGES
from tests.contracts.folder import COMMANDS, DECODERS, encoded, example, validator

Spoil = Callable[[Any], object]


def put(name: str, value: object) -> Spoil:
    return lambda message: message.__setitem__(name, value)


def first_entry(name: str, value: object) -> Spoil:
    return lambda message: message["entries"][0].__setitem__(name, value)


def refused(message: str, spoil: Spoil) -> str:
    """What the codec says; the schema must refuse it too."""
    wrong = example(message)
    spoil(wrong)
    assert not validator(message).is_valid(wrong)
    with pytest.raises(BadMessageError) as error:
        DECODERS[message](encoded(wrong))
    return str(error.value)


OF_A_PBX = [message for message in MESSAGES if message != "CommandResult"]  # it repeats what it answers
COUNTED = [message for message in OF_A_PBX if message not in COMMANDS]


@pytest.mark.parametrize("message", OF_A_PBX)
@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda message: message.pop("pbx"), "`pbx`"),
        (put("pbx", None), "`$.pbx`"),
        *((put("pbx", name), "`$.pbx`") for name in ("", "HQ", "-hq", "h q", "hq|1", "ä", "a" * 33)),
    ],
)
def test_every_message_names_the_field_that_is_wrong(message: str, spoil: Spoil, named: str) -> None:
    reason = refused(message, spoil)
    assert reason.startswith("bad_message: ")
    assert named in reason


@pytest.mark.parametrize("message", COUNTED)
@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (put("epoch", "1795397755"), "`$.epoch`"),
        (put("epoch", -1), "`$.epoch`"),
        (put("epoch", None), "`$.epoch`"),
    ],
)
def test_an_epoch_is_a_number(message: str, spoil: Spoil, named: str) -> None:
    reason = refused(message, spoil)
    assert reason.startswith("bad_message: ")
    assert named in reason


@pytest.mark.parametrize("message", ["RawRecord", "Owner", "IngestStatus", "Leg"])
def test_a_boot_is_a_number(message: str) -> None:
    assert "`$.boot`" in refused(message, put("boot", "yesterday"))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_newer_version_is_named_as_such(message: str) -> None:
    assert refused(message, put("v", 2)) == "newer_version: v is 2, this reader knows 1"


@pytest.mark.parametrize("message", MESSAGES)
def test_a_newer_version_is_named_as_such_whatever_else_has_changed(message: str) -> None:
    with pytest.raises(BadMessageError, match=r"^newer_version: v is 3"):
        DECODERS[message](b'{"pbx":{"name":"hq"},"v":3}')


@pytest.mark.parametrize("version", [0, -1, "1", None, 1.5])
def test_what_is_no_version_is_a_bad_message(version: object) -> None:
    assert refused("Leg", put("v", version)).startswith("bad_message: ")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (first_entry("kind", "connection.sideways"), "`$.entries[0].kind`"),
        (lambda message: message["entries"][0].pop("kind"), "`$.entries[0]`"),
        (first_entry("seq", 0), "`$.entries[0].seq`"),
        (first_entry("at", "yesterday"), "`$.entries[0].at`"),
        (first_entry("received_at", 1795397779.5), "`$.entries[0].received_at`"),
        (first_entry("reason", "bored"), "`$.entries[0].reason`"),
        (lambda message: message["entries"][0].pop("at"), "`at`"),
        (put("entries", {}), "`$.entries`"),
        (lambda message: message.pop("entries"), "`entries`"),
    ],
)
def test_a_raw_record_names_the_place_in_its_entries(spoil: Spoil, named: str) -> None:
    assert named in refused("RawRecord", spoil)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (put("kind", "call"), "`$.kind`"),
        (put("state", "LINK"), "`$.state`"),
        (put("leg_id", 2**53), "`$.leg_id`"),
        (put("leg_id", "244564703510529"), "`$.leg_id`"),
        (put("end_reason", "bored"), "`$.end_reason`"),
        (put("disposition", "NOANSWER"), "`$.disposition`"),
        (put("born", "2026-11-23 at noon"), "`$.born`"),
        (put("billsec", -0.5), "`$.billsec`"),
        (put("talks", [{"start": "2026-11-23T01:36:19Z"}]), "`$.talks[0]`"),
        (put("flags", {"consult": "yes"}), "`$.flags.consult`"),
        (lambda message: message.pop("rule"), "`rule`"),
    ],
)
def test_a_leg_names_the_field_that_is_wrong(spoil: Spoil, named: str) -> None:
    assert named in refused("Leg", spoil)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (put("verb", "explode"), "`$.verb`"),
        (put("verb", 7), "`$.verb`"),
        (put("command_id", "a b"), "`$.command_id`"),
        (put("command_id", "x" * 65), "`$.command_id`"),
        (put("command_id", 7), "`$.command_id`"),
        *((put("actor", f"al{c}ice"), "`$.actor`") for c in "\r\n\0\x1b\x7f\x85\u2028"),
        (put("actor", "alice\n"), "`$.actor`"),
        (put("issuer", ""), "`$.issuer`"),
        (put("issuer", "x" * (1 << 20)), "`$.issuer`"),
        (put("args", {"leg_id": "244564703510529", "side": "dst"}), "`$.args.leg_id`"),
        (put("args", {"leg_id": 2**53, "side": "dst"}), "`$.args.leg_id`"),
        (put("args", {"leg_id": 1, "side": "left"}), "`$.args.side`"),
        (put("args", {"leg_id": 1}), "`side`"),
        (put("args", None), "`$.args`"),
        (put("not_after", "soon"), "`$.not_after`"),
        (put("issued_at", "2026-11-23T01:36:21"), "`$.issued_at`"),
    ],
)
def test_a_command_names_the_field_that_is_wrong(spoil: Spoil, named: str) -> None:
    assert named in refused("Hangup", spoil)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "PJSIP/201&PJSIP/202"),
        ("endpoint", "Local/201@from-internal/n"),
        ("exten", "1,System(id)"),
        ("context", "a b"),
        ("ring", 61),
        ("caller_name", 'a"b'),
        ("caller_number", "a"),
    ],
)
def test_an_originate_names_the_argument_that_is_wrong(field: str, value: object) -> None:
    reason = refused("Originate", lambda message: message["args"].__setitem__(field, value))
    assert f"`$.args.{field}`" in reason


@pytest.mark.parametrize("message", ["IngestStatus", "ProjectorStatus"])
def test_a_status_of_an_unknown_part_is_refused(message: str) -> None:
    assert "`$.part`" in refused(message, put("part", "gateway"))


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize(
    "data",
    [
        b"[" * 5000 + b"]" * 5000,
        b'{"v":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"",
        b"{",
        b"null",
        b"[]",
        b'"hq"',
        b"\xff\xfe",
        b'{"v":1}',
    ],
)
def test_what_is_no_object_of_ours_is_refused(message: str, data: bytes) -> None:
    with pytest.raises(BadMessageError, match=r"^bad_message: "):
        DECODERS[message](data)
