"""How the fake PBX counts time: whole microseconds since 1970, so that nothing is ever rounded twice."""

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_seconds(seconds: float | str) -> int:
    """`"1795397779.562251"` or a number of seconds -> microseconds."""
    return round(float(seconds) * SECOND)


def from_datetime(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: the clock of a PBX is compared with aware times only")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)


def to_ami(moment: int) -> bytes:
    """As Asterisk writes it: `1795397779.562251`."""
    return b"%d.%06d" % divmod(moment, SECOND)


def clock_seconds(since: int, now: int) -> int:
    """By the seconds that a clock shows, as Asterisk often subtracts them: from 1.9 to 2.1 is one."""
    return now // SECOND - since // SECOND
