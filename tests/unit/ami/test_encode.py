from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legbook.ami.encode import MAX_HEADERS, MAX_LINE, BadActionError, encode, login
from legbook.ami.framing import END, Framer
from legbook.ami.message import parse

PING = ("Action", "Ping")
CONTROLS = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"]


def read_back(data: bytes) -> list[tuple[str, str]]:
    """As whoever splits at CRLF and at the first `: ` reads it."""
    lines = data.decode().removesuffix("\r\n\r\n").split("\r\n")
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


def test_the_bytes_of_an_action() -> None:
    assert encode([PING]) == b"Action: Ping\r\n\r\n"
    headers = [("Action", "Setvar"), ("Variable", "a=1"), ("Variable", "b: ü"), ("Empty", "")]
    assert encode(headers) == "Action: Setvar\r\nVariable: a=1\r\nVariable: b: ü\r\nEmpty: \r\n\r\n".encode()


@pytest.mark.parametrize("place", [0, 3, 6])
def test_every_control_character_is_refused_with_its_place(place: int) -> None:
    for control in CONTROLS:
        value = "secret"[:place] + control + "secret"[place:]
        with pytest.raises(BadActionError) as caught:
            encode([PING, ("Exten", value)])
        assert str(caught.value) == f"Exten: control character {control!r} at position {place}"


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nAction: Hangup", "a\r", "\0", "a\x85b"])
def test_no_second_action_can_be_smuggled_in(value: str) -> None:
    for headers in ([("Action", value)], [PING, ("Channel", value)]):
        with pytest.raises(BadActionError, match=f"^{headers[-1][0]}: control character"):
            encode(headers)


@pytest.mark.parametrize("value", ["\ud800", "ab\udfffcd"])
def test_a_lone_surrogate_is_refused_with_its_place(value: str) -> None:
    place = next(i for i, c in enumerate(value) if "\ud800" <= c <= "\udfff")
    with pytest.raises(BadActionError, match=f"^CallerID: not encodable as UTF-8 at position {place}$"):
        encode([PING, ("CallerID", value)])


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "A B",
        "A:",
        "A\r\n",
        "A\n",
        "1A",
        "-A",
        "_A",
        "Ä",
        "A\0",
        "A: x\r\nB",
        "\ud800",
        "A" * 50 + " ",
    ],
)
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(BadActionError, match="is not a header name$") as caught:
        encode([PING, (name, "v")])
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("name", [None, 5, b"A", ["A"]])
def test_a_name_that_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(BadActionError, match="is not a header name$"):
        encode([PING, (name, "v")])


@pytest.mark.parametrize("value", [None, 5, 5.0, True, b"bytes", ["a"], {"a": 1}])
def test_a_value_that_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(BadActionError, match=f"^Priority: text wanted, not {type(value).__name__}$"):
        encode([PING, ("Priority", value)])


@pytest.mark.parametrize("letter", ["x", "ü", "\U0001f600"])
def test_the_longest_line_counts_bytes(letter: str) -> None:
    room, size = MAX_LINE - len("Data: "), len(letter.encode())
    fits = letter * (room // size) + "y" * (room % size)
    assert len(encode([PING, ("Data", fits)])) == len("Action: Ping\r\n") + MAX_LINE + len(END)
    with pytest.raises(BadActionError, match=rf"^Data: the line is {MAX_LINE + 1} bytes long"):
        encode([PING, ("Data", fits + "y")])


def test_as_many_headers_as_asterisk_reads() -> None:
    many = [("Variable", f"v{number}=1") for number in range(MAX_HEADERS - 1)]
    assert read_back(encode([PING, *many])) == [PING, *many]
    with pytest.raises(BadActionError, match="^129 headers: Asterisk reads 128 at most$"):
        encode([PING, *many, ("Variable", "one=more")])


@pytest.mark.parametrize(
    "headers", [[], [("ActionID", "1")], [("ActionID", "1"), PING], [("action", "Ping")]]
)
def test_the_first_header_is_the_action(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(BadActionError, match="^the first header of an action is Action$"):
        encode(headers)


def test_login() -> None:
    assert login("u", "s: 3", "legbook-1") == (
        b"Action: Login\r\nActionID: legbook-1\r\nUsername: u\r\nSecret: s: 3\r\nEvents: on\r\n\r\n"
    )


@pytest.mark.parametrize("bad", ["\n", "\r\n", "\0", "\u2028", "\ud800", "x" * 1024])
def test_a_secret_is_in_no_message(bad: str) -> None:
    secret = f"hunter2{bad}hunter3"
    with pytest.raises(BadActionError, match=r"^Secret: .*( \d+$|\d+ bytes)") as caught:
        login("u", secret, "1")
    assert "hunter" not in str(caught.value)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "hunter" not in str(chain)
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)


@pytest.mark.parametrize("secret", ["a", "r", "U", ":", "0", "", "control", "Username: control character"])
def test_what_is_wrong_with_another_header_tells_nothing_of_the_secret(secret: str) -> None:
    """Not even by what is left out of the message."""
    with pytest.raises(BadActionError) as caught:
        login("u\n", secret, "1")
    assert str(caught.value) == "Username: control character '\\n' at position 1"


NAMES = st.text("abcAXYZ019_-", min_size=1, max_size=8) | st.text(max_size=3)
VALUES = st.text(max_size=20) | st.text("ab: \r\n\0;,=@é\u2028", max_size=20)


@given(VALUES, st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_what_is_accepted_reads_back_as_the_same_pairs(action: str, more: list[tuple[str, str]]) -> None:
    headers = [("Action", action), *more]
    try:
        data = encode(headers)
    except BadActionError:
        return
    assert read_back(data) == headers
    assert data.endswith(END)
    assert data.count(END) == 1
    assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r") == len(headers) + 1
    (frame,) = Framer().feed(b"x\r\n" + data)
    message = parse(frame)
    assert set(message.flags) <= {"dup_header"}
    for name, _ in headers:
        values = message.fields[name]
        assert ([values] if isinstance(values, str) else values) == [v for n, v in headers if n == name]
