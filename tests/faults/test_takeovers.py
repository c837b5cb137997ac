"""When a silence that began with the fault has ended."""

import pytest

from tests.faults.takeovers import after_silence


@pytest.mark.parametrize(
    ("moments", "end"),
    [
        ([1.0, 9.8, 16.3, 16.4], 16.3),
        ([9.0, 10.1, 10.3, 17.0], 17.0),  # last words
        ([9.0, 10.5, 11.0, 12.0], None),
        ([9.0], None),
        ([9.0, 12.6], 12.6),
    ],
)
def test_the_first_silence_after_the_fault(moments: list[float], end: float | None) -> None:
    assert after_silence(moments, at=10.0) == end
