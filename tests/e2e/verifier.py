"""Truth against everything that we say: live rows, the compacted legs topic, the cdr topic, the archive.

The truth is the fake PBX's model, never our own output. A leg with a wrong value is a leg that is missing: what
stands in its place is another one, and why is said on stderr.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from legbook.contracts.legs import Leg
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.fakepbx import ExpectedLeg, FakePbx
from tests.e2e import topics

_STATES: Final = {"DIAL": "dialing", "RINGING": "ringing", "LINK": "talking", "RING": "waiting"}
_TOLERANCE: Final = timedelta(seconds=0.05)
_TIMES: Final = ("start", "ring", "answer")
_ARCHIVED: Final = (
    "SELECT leg_id, ver FROM cdr "
    "WHERE pbx = {p:String} AND (born IS NULL OR born >= fromUnixTimestamp64Micro({b:Int64}))"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All zero but the last two, or something was lost, doubled or is wrong. `compared`: finished legs."""

    live_diff: int = 0
    legs_diff: int = 0
    cdr_missing: int = 0
    cdr_dup: int = 0
    flicker: int = 0
    cmd_double: int = 0
    cmd_open: int = 0
    cmd_false: int = 0
    late: int = 0
    compared: int = 0

    def __str__(self) -> str:
        names = [each.name for each in fields(self)][:-1]
        return "verifier: " + " ".join(f"{name}={getattr(self, name)}" for name in names)

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def clean(self) -> bool:
        return not any(getattr(self, each.name) for each in fields(self)[:-2])


@dataclass(frozen=True, slots=True)
class Excused:
    """What cannot be known of a PBX that nobody listened to for a while, by channel.

    `unknown`: their legs are not compared; `estimated`: the end of their leg may be an estimate.
    """

    unknown: frozenset[str] = frozenset()
    estimated: frozenset[str] = frozenset()


NOTHING: Final = Excused()
Live = Counter[tuple[str | None, str]]
_T = TypeVar("_T")


def wanted_live(legs: Iterable[ExpectedLeg]) -> Live:
    """(uniqueid of the called channel, of the caller while nobody is rung; RING DIAL RINGING LINK)."""
    return Counter((leg.dstuid or leg.srcuid, str(leg.state)) for leg in legs)


def shown_live(watch: Watch, pbx: str) -> Live:
    rows = [row for row in watch.live() if row["pbx"] == pbx]
    return Counter((row["dstuid"] or row["srcuid"], row["disposition"]) for row in rows)


def _said_live(legs: Iterable[Leg]) -> Live:
    words = {state: word for word, state in _STATES.items()}
    return Counter((_channel(leg), words[leg.state]) for leg in legs)


async def verify(
    world: World, watch: Watch, pbx: FakePbx, moment: datetime, excused: Excused = NOTHING
) -> Verdict:
    """`moment`: of the PBX clock, when its last event was sent. The databases are looked at first, at once."""
    shown = shown_live(watch, pbx.name)
    rows = watch.query(_ARCHIVED, p=pbx.name, b=round(pbx.boot.timestamp() * 1_000_000))
    alive = wanted_live(pbx.truth.live(moment))
    legs = (await topics.live(world, pbx.name)).values()
    published = [leg for leg in await topics.finished(world, pbx.name) if _is_of(leg, pbx)]
    missing, dup, compared = _finished(published, rows, pbx.truth.finished(moment), excused)
    return Verdict(
        live_diff=_difference("curcdr", alive, shown, excused),
        legs_diff=_difference("legs topic", alive, _said_live(legs), excused),
        cdr_missing=missing,
        cdr_dup=dup,
        compared=compared,
    )


def _difference(what: str, wanted: Live, found: Live, excused: Excused) -> int:
    lacks, more = wanted - found, found - wanted
    wrong = [f"- {each}" for each in lacks.elements() if each[0] not in excused.unknown]
    wrong += [f"+ {each}" for each in more.elements() if each[0] not in excused.unknown]
    for each in wrong:
        say(f"{what}: {each}")
    return len(wrong)


def _finished(
    published: Iterable[Leg],
    rows: Sequence[Mapping[str, Any]],
    truth: Iterable[ExpectedLeg],
    excused: Excused,
) -> tuple[int, int, int]:
    """(missing, doubled, compared): the topic against the truth, the archive against the topic."""
    newest, dup = _newest(published)
    dup += _invented_rows(rows, newest)
    archived = {row["leg_id"]: row["ver"] for row in rows}
    missing, compared = 0, 0
    found = _by_channel(newest.values())
    for uid, wanted in _by_channel(truth).items():
        if uid in excused.unknown:
            continue
        compared += len(wanted)
        legs = found.pop(uid, [])
        missing += sum(_is_missing(uid, i, wanted, legs, archived, excused) for i in range(len(wanted)))
        dup += _more(uid, legs[len(wanted) :])
    dup += sum(_more(uid, legs) for uid, legs in found.items() if uid not in excused.unknown)
    return missing, dup, compared


def _is_of(leg: Leg, pbx: FakePbx) -> bool:
    """Not of an earlier life of this PBX, in another test."""
    return leg.born is None or leg.born >= pbx.boot


def _newest(published: Iterable[Leg]) -> tuple[dict[int, Leg], int]:
    """The newest state of each leg; a correction has a higher (epoch, seq), else it is a double."""
    newest: dict[int, Leg] = {}
    dup = 0
    for leg in published:
        known = newest.get(leg.leg_id)
        if known is not None and leg.ver <= known.ver:
            say(f"cdr topic: leg {leg.leg_id} of {leg.dstuid or leg.srcuid} again, {leg.epoch}.{leg.seq}")
            dup += 1
        else:
            newest[leg.leg_id] = leg
    return newest, dup


def _invented_rows(rows: Sequence[Mapping[str, Any]], newest: Mapping[int, Leg]) -> int:
    """Rows of the archive that nobody has published, or that are there twice."""
    counts = Counter(row["leg_id"] for row in rows)
    wrong = [leg_id for leg_id, count in counts.items() if count > 1 or leg_id not in newest]
    for leg_id in wrong:
        say(f"archive: leg {leg_id} {counts[leg_id]} times, {'' if leg_id in newest else 'not '}in the topic")
    return len(wrong)


def _by_channel(legs: Iterable[_T]) -> dict[str, list[_T]]:
    found: dict[str, list[_T]] = defaultdict(list)
    for leg in sorted(legs, key=lambda leg: (leg.start is None, leg.start)):  # type: ignore[attr-defined]
        found[_channel(leg)].append(leg)  # type: ignore[arg-type]
    return found


def _channel(leg: Leg | ExpectedLeg) -> str:
    return leg.dstuid or leg.srcuid or ""


def _more(uid: str, legs: Iterable[Leg]) -> int:
    extra = list(legs)
    for leg in extra:
        say(
            f"cdr topic: one too many: {uid} {leg.kind} {leg.start} to {leg.end} {leg.end_reason}, {leg.rule}"
        )
    return len(extra)


def _is_missing(
    uid: str,
    number: int,
    wanted: Sequence[ExpectedLeg],
    legs: Sequence[Leg],
    archived: Mapping[int, int],
    excused: Excused,
) -> bool:
    if number >= len(legs):
        say(f"cdr topic: no {uid} {wanted[number].scenario} {wanted[number].start} to {wanted[number].end}")
        return True
    leg = legs[number]
    wrong = _wrong(leg, wanted[number], may_be_estimated=uid in excused.estimated)
    if archived.get(leg.leg_id) != leg.ver:
        wrong.append(f"archive: {archived.get(leg.leg_id)} instead of {leg.ver}")
    for each in wrong:
        say(f"{uid} {wanted[number].scenario} {leg.rule}: {each}")
    return bool(wrong)


def _wrong(leg: Leg, wanted: ExpectedLeg, *, may_be_estimated: bool) -> list[str]:
    pairs: dict[str, tuple[object, object]] = {
        "src": (leg.src, wanted.src or ""),
        "dst": (leg.dst, wanted.dst),
        "didnumber": (leg.didnumber, wanted.did or ""),
        "srcuid": (leg.srcuid, wanted.srcuid or ""),
    }
    wrong = [f"{name}: {one} instead of {other}" for name, (one, other) in pairs.items() if one != other]
    wrong += [text for name in _TIMES if (text := _off(name, getattr(leg, name), getattr(wanted, name)))]
    is_estimate = not leg.end_exact or leg.end_reason != "hangup"
    if is_estimate and may_be_estimated and leg.end is not None and leg.end >= wanted.end - _TOLERANCE:
        return wrong
    if is_estimate:
        wrong.append(f"end: {leg.end} by estimate ({leg.end_reason}) instead of {wanted.end}")
    if leg.disposition != wanted.disposition:
        wrong.append(f"disposition: {leg.disposition} instead of {wanted.disposition}")
    if abs(leg.billsec - wanted.billsec) > _TOLERANCE.total_seconds():
        wrong.append(f"billsec: {leg.billsec} instead of {wanted.billsec}")
    return [*wrong, *filter(None, [_off("end", leg.end, wanted.end)])]


def _off(name: str, found: datetime | None, wanted: datetime | None) -> str | None:
    close = found is wanted if found is None or wanted is None else abs(found - wanted) <= _TOLERANCE
    return None if close else f"{name}: {found} instead of {wanted}"


def say(line: str) -> None:
    """A figure alone helps nobody."""
    sys.stderr.write(line + "\n")
