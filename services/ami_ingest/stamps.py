"""The PBX's own stamps: `Timestamp` of events and pongs."""

from datetime import UTC, datetime, timedelta


def moment(text: str) -> datetime | None:
    """`1795396901.426113`: read as decimal digits, a float would lose the last microsecond. None: no stamp."""
    whole, _, fraction = text.partition(".")
    if not (whole.isdecimal() and whole.isascii() and len(whole) < 12):
        return None
    micros = int(fraction[:6].ljust(6, "0")) if fraction.isdecimal() and fraction.isascii() else 0
    return datetime.fromtimestamp(int(whole), UTC) + timedelta(microseconds=micros)
