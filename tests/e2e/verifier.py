"""Truth against everything that we say: live rows, the compacted legs topic, the cdr topic, the archive.

The truth is the fake PBX's model, never our own output.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from legbook.contracts.legs import Leg
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.fakepbx import ExpectedLeg, FakePbx
from tests.e2e import topics

_STATES = {"DIAL": "dialing", "RINGING": "ringing", "LINK": "talking", "RING": "waiting"}
_TOLERANCE = timedelta(seconds=0.05)
_TIMES = ("start", "ring", "answer", "end")


@dataclass(frozen=True, slots=True)
class Verdict:
    """All zero, or something was lost, doubled or is wrong."""

    live_diff: int
    legs_diff: int
    cdr_missing: int
    cdr_dup: int
    cdr_wrong: int
    archive_diff: int
    finished: int

    def __str__(self) -> str:
        return "verifier: " + " ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)

    @property
    def clean(self) -> bool:
        return not any(getattr(self, name) for name in self.__slots__ if name != "finished")


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
    return Counter((leg.dstuid or leg.srcuid, words[leg.state]) for leg in legs)


async def verify(world: World, watch: Watch, pbx: FakePbx, moment: datetime) -> Verdict:
    """`moment`: of the PBX clock, when its last event was sent."""
    truth = {leg.dstuid or leg.srcuid: leg for leg in pbx.truth.finished(moment)}
    alive = wanted_live(pbx.truth.live(moment))
    published = await topics.finished(world, pbx.name)
    counts = Counter(leg.dstuid or leg.srcuid for leg in published)
    archived = Counter(
        row["dstuid"] or row["srcuid"]
        for row in watch.query("SELECT * FROM cdr WHERE pbx = {p:String}", p=pbx.name)
    )
    return Verdict(
        live_diff=_difference(alive, shown_live(watch, pbx.name)),
        legs_diff=_difference(alive, _said_live((await topics.live(world, pbx.name)).values())),
        cdr_missing=len(truth.keys() - counts.keys()),
        cdr_dup=sum(count - 1 for count in counts.values()) + len(counts.keys() - truth.keys()),
        cdr_wrong=sum(len(_wrong(leg, truth[leg.dstuid])) for leg in published if leg.dstuid in truth),
        archive_diff=_difference(Counter(dict.fromkeys(truth, 1)), archived),
        finished=len(truth),
    )


def _difference(one: Counter[_T], other: Counter[_T]) -> int:
    return ((one - other) + (other - one)).total()


def _wrong(leg: Leg, wanted: ExpectedLeg) -> list[str]:
    """The fields that differ, said aloud: a figure alone helps nobody."""
    words = {"src": wanted.src, "dst": wanted.dst, "didnumber": wanted.did or "", "srcuid": wanted.srcuid}
    words["disposition"] = wanted.disposition
    wrong = [name for name, value in words.items() if getattr(leg, name) != value]
    wrong += [name for name in _TIMES if not _close(getattr(leg, name), getattr(wanted, name))]
    wrong += ["billsec"] if abs(leg.billsec - wanted.billsec) > _TOLERANCE.total_seconds() else []
    for name in wrong:
        sys.stderr.write(
            f"{leg.dstuid} {name}: {getattr(leg, name)} instead of {getattr(wanted, name, words.get(name))}\n"
        )
    return wrong


def _close(found: datetime | None, wanted: datetime | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return abs(found - wanted) <= _TOLERANCE
