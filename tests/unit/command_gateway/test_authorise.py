"""Times that make sense, and a deadline that is not past."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from command_gateway.authorise import check
from command_gateway.refusals import RefusedError
from legbook.contracts import examples

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def asked(issued: float, not_after: float) -> None:
    """Seconds from now."""
    check(
        replace(
            examples.COMMAND,
            issued_at=NOW + timedelta(seconds=issued),
            not_after=NOW + timedelta(seconds=not_after),
        ),
        NOW,
    )


@pytest.mark.parametrize(("issued", "not_after"), [(0, 5), (-59, 1), (0, 60), (30, 31), (-1, 0.001)])
def test_in_time(issued: float, not_after: float) -> None:
    asked(issued, not_after)


@pytest.mark.parametrize(
    ("issued", "not_after", "state", "named"),
    [
        (-5, 0, "expired", "past by 0.0 s"),
        (-50, -10, "expired", "past by 10.0 s"),
        (0, 0, "rejected", "not_after"),
        (1, -1, "rejected", "not_after"),
        (0, 61, "rejected", "not_after"),
        (31, 32, "rejected", "issued_at"),
    ],
)
def test_not_in_time(issued: float, not_after: float, state: str, named: str) -> None:
    with pytest.raises(RefusedError, match=named) as error:
        asked(issued, not_after)
    assert error.value.state == state
