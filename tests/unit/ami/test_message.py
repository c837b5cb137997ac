import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legbook.ami.framing import Frame, Framer
from legbook.ami.message import REPEATABLE, Message, first, parse
from tests.unit.ami.recorded import BYTES

FLAGS = {"dup_header", "bad_utf8", "long", "no_space", "nul"}


def parsed(data: bytes, dropped: int = 0) -> Message:
    return parse(Frame(data, dropped))


def test_names_and_values_in_the_order_of_asterisk() -> None:
    message = parsed(b"Event: Dial\r\nZ: 1\r\nA: 2\r\nM: 3")
    assert list(message.fields.items()) == [("Event", "Dial"), ("Z", "1"), ("A", "2"), ("M", "3")]
    assert (message.flags, message.raw_b64) == ((), None)


def test_only_the_test_event_of_a_real_recording_is_odd() -> None:
    """Asterisk itself sends its `State` twice."""
    messages = [parse(frame) for frame in Framer().feed(BYTES)]
    odd = [message for message in messages if message.flags]
    assert [(m.first("Event"), m.first("State"), m.flags) for m in odd] == [
        ("TestEvent", "CallIDChange", ("dup_header",))
    ] * 4
    assert all("Event" in message.fields or "Response" in message.fields for message in messages)


@pytest.mark.parametrize("bad", [b"\xff\xfeBob", b"J\xfcrgen", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_invalid_utf8_is_flagged_and_kept_to_the_byte(bad: bytes) -> None:
    data = b"Event: X\r\nCallerIDName: " + bad + b"\r\nLast: z"
    message = parsed(data)
    assert message.flags == ("bad_utf8",)
    assert message.raw_b64 is not None
    assert base64.b64decode(message.raw_b64) == data
    assert "\ufffd" in message.first("CallerIDName")
    assert message.first("Last") == "z"


def test_valid_utf8_has_no_flag() -> None:
    message = parsed("Event: X\r\nName: José Ü \U0001f600 שלום".encode())
    assert message == Message({"Event": "X", "Name": "José Ü \U0001f600 שלום"})


@pytest.mark.parametrize("name", sorted(REPEATABLE))
def test_what_asterisk_repeats_becomes_a_list_without_a_flag(name: str) -> None:
    message = parsed(f"Event: X\r\n{name}: a=1\r\nB: c\r\n{name}: a=2\r\n{name}: ".encode())
    assert message.fields == {"Event": "X", name: ["a=1", "a=2", ""], "B": "c"}
    assert list(message.fields) == ["Event", name, "B"]
    assert message.flags == ()


@pytest.mark.parametrize("name", ["Event", "Uniqueid", "State", "ActionID"])
def test_any_other_repeated_header_is_flagged_once_and_the_first_wins(name: str) -> None:
    message = parsed(f"Event: X\r\n{name}: 1\r\n{name}: 2\r\n{name}: 3".encode())
    assert message.fields[name] == [*(["X"] if name == "Event" else []), "1", "2", "3"]
    assert message.first(name) == ("X" if name == "Event" else "1")
    assert message.flags == ("dup_header",)


def test_names_that_differ_in_case_are_different_names() -> None:
    message = parsed(b"Event: X\r\nUniqueid: 1\r\nUniqueID: 2")
    assert (message.fields["Uniqueid"], message.fields["UniqueID"], message.flags) == ("1", "2", ())


def test_lines_without_a_colon_are_kept_under_the_empty_name() -> None:
    message = parsed(b"Event: X\r\nno colon here\r\nA: b")
    assert message.fields == {"Event": "X", "": "no colon here", "A": "b"}
    assert parsed(b"one\r\ntwo").fields == {"": ["one", "two"]}


@pytest.mark.parametrize(
    ("line", "value", "flags"),
    [
        (b"Key:value", "value", ("no_space",)),
        (b"Key: value", "value", ()),
        (b"Key:  value", " value", ()),
        (b"Key: ", "", ()),
        (b"Key:", "", ()),
        (b"Key: a: b:c: ", "a: b:c: ", ()),
        (b"Key:a: b", "a: b", ("no_space",)),
        (b"Key: \tx ", "\tx ", ()),
        (b"Key: a\nB: c", "a\nB: c", ()),
        (b"Key: a\rB: c", "a\rB: c", ()),
        (b"Key: a\x00b", "a\x00b", ("nul",)),
        ("Key: a\u2028b\x85c".encode(), "a\u2028b\x85c", ()),
    ],
)
@pytest.mark.parametrize("after", [b"", b"\r\nZ: z"])
def test_values(line: bytes, value: str, flags: tuple[str, ...], after: bytes) -> None:
    message = parsed(b"Event: X\r\n" + line + after)
    assert message.fields["Key"] == value
    assert list(message.fields) == ["Event", "Key", "Z"][: 3 if after else 2]
    assert message.flags == flags


def test_a_cut_frame_says_so_and_a_nul_does_not_end_a_value() -> None:
    assert parsed(b"Event: X", 1).flags == ("long",)
    assert parsed(b"A: 1\x002\r\nB: 3").fields == {"A": "1\x002", "B": "3"}
    assert set(parsed(b"A:\xff\x00\r\nA: 2", 9).flags) == FLAGS


def test_no_header_at_all() -> None:
    message = parsed(b"")
    assert (message.first("Event"), message.flags) == ("", ())


def test_as_many_lines_of_one_name_as_a_frame_holds_do_not_take_their_square() -> None:
    """3.6 s when every line copied all before it: nobody else has a turn meanwhile."""
    lines = 65_000
    began = time.process_time()
    message = parsed(b"Event: X" + b"\r\na:" * lines)
    assert message.fields["a"] == [""] * lines
    assert time.process_time() - began < 0.3


def test_the_first_value_of_fields() -> None:
    assert first({"a": "1", "b": ["2", "3"]}, "a") == "1"
    assert first({"a": "1", "b": ["2", "3"]}, "b") == "2"
    assert first({}, "b") == ""


def rebuilt(message: Message) -> list[str]:
    return [
        value
        for values in message.fields.values()
        for value in (values if isinstance(values, list) else [values])
    ]


@given(st.binary(max_size=200) | st.text("AB: \r\n\0\ufffdé").map(str.encode), st.integers(0, 2))
def test_any_bytes_are_read_and_every_line_is_there(data: bytes, dropped: int) -> None:
    message = parsed(data, dropped)
    assert set(message.flags) <= FLAGS
    assert len(set(message.flags)) == len(message.flags)
    assert (message.raw_b64 is not None) == ("bad_utf8" in message.flags)
    assert ("long" in message.flags) == bool(dropped)
    assert len(rebuilt(message)) == data.count(b"\r\n") + 1


@given(st.lists(st.tuples(st.text("abcXYZ-", min_size=1), st.text().filter(lambda v: "\r\n" not in v))))
def test_what_was_written_is_what_is_read(pairs: list[tuple[str, str]]) -> None:
    pairs = [(name, value.encode("utf-8", "replace").decode().rstrip("\r")) for name, value in pairs]
    message = parsed("\r\n".join(f"{name}: {value}" for name, value in pairs).encode())
    for name, _ in pairs:
        wanted = [value for other, value in pairs if other == name]
        assert message.fields[name] == (wanted if len(wanted) > 1 else wanted[0])
