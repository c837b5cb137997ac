"""The only code that writes AMI actions, the login included. What could end a line is refused, never cleaned.

Asterisk ends an inbound line at a bare LF too, cuts it at NUL, and refuses lines over 1,024 bytes and
more than 128 headers (asterisk/asterisk main/manager.c: get_input, do_message).
"""

import re
from collections.abc import Iterable

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
# C0, DEL, C1, and the Unicode line ends that some parsers behind us take for a line break
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MAX_LINE = 1024 - 2
MAX_HEADERS = 128


class BadActionError(ValueError):
    """An action that must not be written: the message names the header and the place in its value."""


def encode(headers: Iterable[tuple[str, str]]) -> bytes:
    """(name, value) pairs, `Action` first -> the bytes of one action. BadActionError if any could do harm."""
    lines = [_line(name, value) for name, value in headers]
    if not lines or not lines[0].startswith("Action: "):
        raise BadActionError("the first header of an action is Action")
    if len(lines) > MAX_HEADERS:
        raise BadActionError(f"{len(lines)} headers: Asterisk reads {MAX_HEADERS} at most")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def login(username: str, secret: str, action_id: str, events: str = "on") -> bytes:
    """The login action. No error message of `encode` holds a value, so none holds the secret."""
    return encode(
        [
            ("Action", "Login"),
            ("ActionID", action_id),
            ("Username", username),
            ("Secret", secret),
            ("Events", events),
        ]
    )


def _line(name: str, value: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadActionError(f"{str(name)[:40]!r} is not a header name")
    if not isinstance(value, str):
        raise BadActionError(f"{name}: text wanted, not {type(value).__name__}")
    if bad := _FORBIDDEN.search(value):
        raise BadActionError(f"{name}: control character {bad[0]!r} at position {bad.start()}")
    line = f"{name}: {value}"
    try:
        size = len(line.encode())
    except UnicodeEncodeError as error:
        raise BadActionError(
            f"{name}: not encodable as UTF-8 at position {error.start - len(name) - 2}"
        ) from None
    if size > MAX_LINE:
        raise BadActionError(f"{name}: the line is {size} bytes long, Asterisk reads {MAX_LINE}")
    return line
