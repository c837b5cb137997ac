"""A finished leg as a row of mycdr: every column of the table, in its order, and where its value comes from. Pure.

Times are whole microseconds since 1970, as ClickHouse stores them: exact, and no client has to convert them.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import structs

from legbook.contracts.legs import Flags, Leg

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEG_IDS_BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)  # of the milliseconds inside a leg_id
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)  # what DateTime64 can hold and toYYYYMM can tell apart
_LAST: Final = datetime(2299, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


class OutOfRangeError(ValueError):
    """A time that ClickHouse would store as another one, without a word."""


def micros(moment: datetime) -> int:
    if not _FIRST <= moment <= _LAST:
        raise OutOfRangeError(f"{moment.isoformat()} is outside 1900 to 2299")
    return (moment - _EPOCH) // _MICROSECOND


def calldate(leg: Leg) -> datetime:
    """Part of the sort key, so from what is fixed at the leg's birth: its start, its birth, or what its id says."""
    return leg.start or leg.born or _LEG_IDS_BEGIN + timedelta(milliseconds=leg.leg_id >> 12)


def whole(seconds: float) -> int:
    """Rounded, but at least 1 if there was any: `billsec > 0` means answered to those who read it."""
    return max(1, int(seconds + 0.5)) if seconds > 0 else 0


def between(start: datetime | None, end: datetime | None) -> float:
    """Seconds, 0.0 if either is unknown."""
    return max(0.0, (end - start).total_seconds()) if start and end else 0.0


def ring_seconds(leg: Leg) -> float:
    return 0.0 if leg.kind == "caller" else between(leg.start, leg.answer or leg.end)


def flags(found: Flags) -> dict[str, str]:
    """Only what is so: `{"consult": "1", "picked_up_by": "205"}`."""
    return {
        name: "1" if value is True else value
        for name, value in structs.asdict(found).items()
        if value not in {False, None}
    }


def _maybe(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


def _talks(leg: Leg) -> list[tuple[int, int | None, list[str]]]:
    return [(micros(talk.start), _maybe(talk.end), talk.devices) for talk in leg.talks]


def _held(leg: Leg) -> list[tuple[str, int, int | None]]:
    return [(hold.holder, micros(hold.start), _maybe(hold.end)) for hold in leg.held]


COLUMNS: Final[dict[str, Callable[[Leg], Any]]] = {
    "pbx": lambda leg: leg.pbx,
    "leg_id": lambda leg: leg.leg_id,
    "kind": lambda leg: leg.kind,
    "calldate": lambda leg: micros(calldate(leg)),
    "src": lambda leg: leg.src,
    "dst": lambda leg: leg.dst,
    "srcname": lambda leg: leg.srcname,
    "channel": lambda leg: leg.srcchan,
    "dstchannel": lambda leg: leg.dstchan,
    "didnumber": lambda leg: leg.didnumber,
    "duration": lambda leg: whole(between(leg.start, leg.end)),
    "billsec": lambda leg: whole(leg.billsec),
    "billsec_leg_a": lambda leg: whole(leg.billsec_leg_a),
    "disposition": lambda leg: leg.disposition or "",
    "accountcode": lambda leg: leg.accountcode,
    "srcuid": lambda leg: leg.srcuid,
    "dstuid": lambda leg: leg.dstuid,
    "queue": lambda leg: leg.queue,
    "dialstring": lambda leg: leg.dialstring,
    "dialstatus": lambda leg: leg.dialstatus,
    "hangupcause": lambda leg: leg.hangupcause,
    "hangupcausetxt": lambda leg: leg.hangupcausetxt,
    "born": lambda leg: _maybe(leg.born),
    "start": lambda leg: _maybe(leg.start),
    "ring": lambda leg: _maybe(leg.ring),
    "answer": lambda leg: _maybe(leg.answer),
    "src_up": lambda leg: _maybe(leg.src_up),
    "end": lambda leg: _maybe(leg.end),
    "end_reason": lambda leg: leg.end_reason or "",
    "end_exact": lambda leg: leg.end_exact,
    "answered": lambda leg: leg.answered,
    "duration_exact": lambda leg: between(leg.start, leg.end),
    "billsec_exact": lambda leg: leg.billsec,
    "billsec_leg_a_exact": lambda leg: leg.billsec_leg_a,
    "ring_seconds": ring_seconds,
    "dialled": lambda leg: leg.dialled or "",
    "exten": lambda leg: leg.exten or "",
    "srcdevice": lambda leg: leg.srcdevice,
    "dstdevice": lambda leg: leg.dstdevice,
    "linkedid": lambda leg: leg.linkedid,
    "linkedid_first": lambda leg: leg.linkedid_first,
    "peer_num": lambda leg: leg.peer.num if leg.peer else "",
    "peer_name": lambda leg: leg.peer.name if leg.peer else "",
    "peer_chan": lambda leg: leg.peer.chan if leg.peer else "",
    "peer_uid": lambda leg: leg.peer.uid if leg.peer else "",
    "peer_device": lambda leg: leg.peer.device if leg.peer else "",
    "talks": _talks,
    "held": _held,
    "flags": lambda leg: flags(leg.flags),
    "boot": lambda leg: leg.boot,
    "rule": lambda leg: leg.rule,
    "ver": lambda leg: leg.ver,
    "is_deleted": lambda _: 0,
}
NAMES: Final = tuple(COLUMNS)
# Fields of a leg behind a column, the one that counts first; what is not here has the name of its field.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "calldate": ("start", "born", "leg_id"),
    "channel": ("srcchan",),
    "dstchannel": ("dstchan",),
    "duration": ("start", "end"),
    "duration_exact": ("start", "end"),
    "billsec_exact": ("billsec",),
    "billsec_leg_a_exact": ("billsec_leg_a",),
    "ring_seconds": ("start", "answer", "end", "kind"),
    "peer_num": ("peer",),
    "peer_name": ("peer",),
    "peer_chan": ("peer",),
    "peer_uid": ("peer",),
    "peer_device": ("peer",),
    "ver": ("epoch", "seq"),
    "is_deleted": (),
}
_VALUES: Final = tuple(COLUMNS.items())


def row(leg: Leg) -> tuple[Any, ...]:
    """OutOfRangeError, naming the column, if a time of it cannot be stored."""
    values = []
    for name, value in _VALUES:
        try:
            values.append(value(leg))
        except OutOfRangeError as error:
            raise OutOfRangeError(f"{name}: {error}") from None
    return tuple(values)
