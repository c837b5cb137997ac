"""What a failure of ClickHouse means: these rows are refused, the schema is not ours, or trouble that will pass.

Only what is known to be about the data is a refusal. What is not known is trouble: nothing is lost by waiting.
"""

from enum import Enum, auto
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError, DataError, Error


class Failure(Enum):
    """`login` will not pass either, unless somebody changes the password back."""

    refused = auto()
    schema = auto()
    login = auto()
    trouble = auto()


# Codes of ClickHouse (src/Common/ErrorCodes.cpp).
_CODES: Final = {
    6: Failure.refused,  # CANNOT_PARSE_TEXT
    27: Failure.refused,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
    38: Failure.refused,  # CANNOT_PARSE_DATE
    41: Failure.refused,  # CANNOT_PARSE_DATETIME
    69: Failure.refused,  # ARGUMENT_OUT_OF_BOUND
    70: Failure.refused,  # CANNOT_CONVERT_TYPE
    72: Failure.refused,  # CANNOT_PARSE_NUMBER
    117: Failure.refused,  # INCORRECT_DATA
    131: Failure.refused,  # TOO_LARGE_STRING_SIZE
    321: Failure.refused,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
    349: Failure.refused,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    469: Failure.refused,  # VIOLATED_CONSTRAINT
    691: Failure.refused,  # UNKNOWN_ELEMENT_OF_ENUM
    8: Failure.schema,  # THERE_IS_NO_COLUMN
    10: Failure.schema,  # NOT_FOUND_COLUMN_IN_BLOCK
    16: Failure.schema,  # NO_SUCH_COLUMN_IN_TABLE
    60: Failure.schema,  # UNKNOWN_TABLE
    81: Failure.schema,  # UNKNOWN_DATABASE
    192: Failure.login,  # UNKNOWN_USER
    193: Failure.login,  # WRONG_PASSWORD
    194: Failure.login,  # REQUIRED_PASSWORD
    497: Failure.login,  # ACCESS_DENIED
    516: Failure.login,  # AUTHENTICATION_FAILED
}
ERRORS: Final = (ClickHouseError, OSError, ValueError, OverflowError)
"""All that clickhouse-connect raises: its own, the network's, and what is wrong with a value."""


def of(error: BaseException) -> Failure | None:
    """None: not about ClickHouse at all."""
    if isinstance(error, Error) and error.code is not None:
        return _CODES.get(error.code, Failure.trouble)
    if isinstance(error, DataError | ValueError | OverflowError):
        return Failure.refused
    return Failure.trouble if isinstance(error, ClickHouseError | OSError) else None


def reason(error: BaseException) -> str:
    """One line, in ClickHouse's words."""
    text = " ".join(str(error).split())
    return (text.partition("server response: ")[2] or text)[:500]
