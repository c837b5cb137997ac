"""A leg -> a row of `curcdr`. Pure: which column says what, in which words and times.

1. Times are PBX-local, zero dates for what has not happened. calldate is the caller's first
   answer by anything, an IVR too, as astercc had it.
2. RING: a caller with nobody rung (LINK while it talks); DIAL, RINGING, LINK.
3. Channel names are lower case: pages compare them case-sensitively with `sip/201`.
4. A withheld caller is `<unknown>`: panels ignore rows with an empty src.
5. Values are cut to their column's width and counted; all but names are stored in one byte a character, so what
   has none there becomes a question mark.
6. While the called channel talks with somebody else than its caller, the row shows that peer. A caller that is gone
   has no channel any more: there is nothing to spy on or to hang up.
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from curcdr_projector import metrics
from legbook.contracts.legs import Leg

Value = str | int
Row = tuple[Value, ...]

ZERO: Final = "0000-00-00 00:00:00"
_STATES: Final = {"waiting": "RING", "dialing": "DIAL", "ringing": "RINGING", "talking": "LINK"}

# Columns that we own, with the width of texts; what other programs write is left to the defaults of the table.
WIDTHS: Final[Mapping[str, int | None]] = {
    "id": None,
    "src": 80,
    "dst": 80,
    "srcname": 100,
    "srcchan": 100,
    "dstchan": 100,
    "didnumber": 80,
    "starttime": None,
    "answertime": None,
    "calldate": None,
    "srcuid": 150,
    "dstuid": 150,
    "queue": 80,
    "disposition": 10,
    "dialstring": 100,
    "dialstatus": 40,
    "accountcode": 100,
    "pbx": 32,
    "linkedid": 150,
    "ver": None,
}
COLUMNS: Final = tuple(WIDTHS)
# Fields of a leg behind a column, the one that counts first; what is not here has the name of its field.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("leg_id",),
    "src": ("src", "peer"),
    "srcname": ("srcname", "peer"),
    "srcchan": ("srcchan", "peer", "src_gone"),
    "didnumber": ("didnumber", "peer"),
    "starttime": ("born",),
    "answertime": ("answer",),
    "calldate": ("src_up", "answer"),
    "srcuid": ("srcuid", "peer"),
    "disposition": ("state",),
    "ver": ("epoch", "seq"),
}


def row(leg: Leg, zone: tzinfo) -> Row:
    """In the order of COLUMNS."""
    peer = leg.peer
    src, name, chan, uid, did = leg.src, leg.srcname, leg.srcchan, leg.srcuid, leg.didnumber
    if peer is not None:
        src, name, chan, uid, did = peer.num, peer.name, peer.chan, peer.uid, peer.didnumber
    elif leg.src_gone is not None:
        chan = ""
    values: Row = (
        leg.leg_id,
        src or ("<unknown>" if leg.srcchan else ""),
        leg.dst,
        name,
        chan.lower(),
        leg.dstchan.lower(),
        did,
        _local(leg.born, zone),
        _local(leg.answer, zone),
        _local(leg.src_up or leg.answer, zone),
        uid,
        leg.dstuid,
        leg.queue,
        _STATES[leg.state],
        leg.dialstring,
        leg.dialstatus,
        leg.accountcode,
        leg.pbx,
        leg.linkedid,
        leg.ver,
    )
    return tuple(_fit(column, value) for column, value in zip(COLUMNS, values, strict=True))


def _local(moment: datetime | None, zone: tzinfo) -> str:
    if moment is None or not 1000 <= moment.year < 9999:  # what DATETIME can hold, in any zone
        return ZERO
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _fit(column: str, value: Value) -> Value:
    width = WIDTHS[column]
    if width is None or not isinstance(value, str):
        return value
    if len(value) > width:
        metrics.CUT.labels(column).inc()
        value = value[:width]
    return value if column == "srcname" else value.encode("cp1252", "replace").decode("cp1252")
