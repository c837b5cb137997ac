"""When and where the examples happen: one night of the test PBX, its boot, its epoch, its leg ids."""

from datetime import UTC, datetime, timedelta
from typing import Final

BOOT: Final = 1795397771
EPOCH: Final = 1795397755


def at(second: float) -> datetime:
    """Seconds after 01:36:00 of that night."""
    micros = round(second * 1_000_000)
    return datetime(2026, 11, 23, 1, 36, micros // 1_000_000, micros % 1_000_000, tzinfo=UTC)


def leg_id(born: datetime) -> int:
    """As the fold numbers them: milliseconds since 2025, then the number of the PBX."""
    return (born - datetime(2025, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) << 12 | 1
