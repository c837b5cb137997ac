"""When did this Asterisk start? Fixed at first sight: Uptime is whole seconds and jitters by one between logins."""

from datetime import datetime, tzinfo
from typing import Final

JITTER: Final = 2.5  # seconds


def started(now: float, uptime: int) -> int:
    """Unix second of the start, by the PBX's own clock; never before 1970, whatever that clock shows."""
    return max(0, round(now - uptime))


def started_by_status(date: str, time: str, zone: tzinfo) -> int | None:
    """From CoreStatus, for Asterisk below 16, which sends no Uptime: local time of the PBX."""
    try:
        return int(datetime.fromisoformat(f"{date} {time}").replace(tzinfo=zone).timestamp())
    except ValueError:
        return None


def settled(known: int | None, seen: int | None, doubt: float = 0.0) -> int | None:
    """The boot to use: the known one, unless what was seen is too far from it to be the same.

    `doubt`: seconds for which what was seen may have been under way, to us or in the PBX.
    """
    if known is None or seen is None:
        return seen if known is None else known
    return known if abs(seen - known) <= JITTER + doubt else seen
