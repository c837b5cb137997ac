"""How ClickHouse says no: codes, their HTTP statuses, and the text that clients look for."""

import re

STATUS = {
    **dict.fromkeys((6, 26, 27, 36, 38, 41, 53, 62, 69, 72, 115, 117, 271, 386, 457), 400),
    **dict.fromkeys((164, 497), 403),
    **dict.fromkeys((46, 47, 60, 81), 404),
    48: 501,
    159: 408,
    202: 503,
}
UNKNOWN_EXCEPTION = 1002


class Refused(Exception):  # noqa: N818  # ClickHouse has the errors, this is our no
    """What the front itself refuses, in the words of the engine."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text}. ({name})")


def not_implemented(text: str) -> Refused:
    return Refused(48, "NOT_IMPLEMENTED", text)


def text_of(error: BaseException) -> str:
    """From the code on: chDB puts words of its own before it."""
    text = str(error)
    return text[max(text.find("Code: "), 0) :]


def code_of(error: BaseException) -> int:
    found = re.match(r"Code: (\d+)", text_of(error))
    return int(found[1]) if found else UNKNOWN_EXCEPTION


def trailer(error: BaseException, tag: str) -> bytes:
    """The end of an answer that began with status 200: a client that knows the tag finds it there."""
    text = text_of(error)
    length = len(text.encode()) + 1
    return f"\r\n__exception__\r\n{tag}\r\n{text}\n{length} {tag}\r\n__exception__\r\n".encode()
