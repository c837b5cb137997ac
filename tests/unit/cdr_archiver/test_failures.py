import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, OperationalError

from cdr_archiver.failures import Failure, of, reason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DatabaseError("x", code=469), Failure.refused),
        (DatabaseError("x", code=60), Failure.schema),
        (DatabaseError("x", code=516), Failure.login),
        (DatabaseError("too many parts", code=252), Failure.trouble),
        (DatabaseError("memory limit", code=241), Failure.trouble),
        (DatabaseError("nobody knows", code=99999), Failure.trouble),
        (OperationalError("Network Error"), Failure.trouble),
        (ConnectionResetError("reset"), Failure.trouble),
        (DataError("value out of range"), Failure.refused),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), Failure.refused),
        (DataError("from the server", code=202), Failure.trouble),
        (TypeError("our own mistake"), None),
    ],
)
def test_only_what_is_about_the_data_is_a_refusal(error: Exception, expected: Failure | None) -> None:
    assert of(error) is expected


def test_the_reason_is_one_line_in_the_words_of_clickhouse() -> None:
    text = "Received ClickHouse exception, code: 469, server response: Code: 469. DB::Exception:\n no"
    assert reason(DatabaseError(text)) == "Code: 469. DB::Exception: no"
