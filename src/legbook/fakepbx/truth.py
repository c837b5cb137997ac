"""What is really going on: which legs are live and which must be archived, from the rounds played so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from legbook.fakepbx import expected
from legbook.fakepbx.expected import Row
from legbook.fakepbx.identities import Identity
from legbook.fakepbx.identities import Kind as IdentityKind
from legbook.fakepbx.moments import from_datetime, to_datetime
from legbook.fakepbx.outcome import as_it_went
from legbook.fakepbx.player import Round
from legbook.fakepbx.recording import Recording
from legbook.fakepbx.templates import Template

State = Literal["RING", "DIAL", "RINGING", "LINK"]


class NoTableError(LookupError):
    """A recording was played that has no expected table: what is true of it is not known."""


@dataclass(frozen=True, slots=True)
class ExpectedLeg:
    """One leg of one round. `caller`, `called`: devices. `state`: of a live leg, else None.

    In RING the row is its caller's alone: `called` and `dstuid` are None until `start`.
    """

    round: int
    scenario: str
    kind: expected.Kind
    src: str | None
    dst: str | None
    dialled: str | None
    exten: str | None
    did: str | None
    caller: str | None
    called: str | None
    srcuid: str | None
    dstuid: str | None
    born: datetime
    start: datetime
    ring: datetime | None
    answer: datetime | None
    end: datetime
    disposition: str | None
    billsec: float
    cause: str | None
    state: State | None = None


class Truth:
    """Asked at a moment of the PBX clock; it knows the rounds that the player has opened until now."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self._rounds = rounds
        self._tables: dict[Recording, list[Row]] = {}
        self._changed: dict[int, tuple[Sequence[Template], list[Row]]] = {}  # by number of the round

    def finished(self, now: datetime) -> list[ExpectedLeg]:
        """Every leg that has ended: what the archive must hold, apart from `cut`."""
        moment = from_datetime(now)
        return [
            _leg(playing, row, None)
            for playing, row in self._legs()
            if playing.started + row.end <= moment and not _was_cut(playing, row)
        ]

    def live(self, now: datetime) -> list[ExpectedLeg]:
        """Every leg that has been born and has not ended, with its state."""
        moment = from_datetime(now)
        return [
            _leg(playing, row, _state(row, moment - playing.started))
            for playing, row in self._legs()
            if playing.started + row.born <= moment < playing.started + row.end
            and not (playing.cut is not None and playing.cut <= moment)
        ]

    def cut(self, now: datetime) -> list[ExpectedLeg]:
        """Legs that a restart of the PBX ended: as they would have gone on, in the state they were in."""
        moment = from_datetime(now)
        return [
            _leg(playing, row, _state(row, playing.cut - playing.started))
            for playing, row in self._legs()
            if playing.cut is not None and playing.cut <= moment and _was_cut(playing, row)
            if playing.started + row.born <= playing.cut
        ]

    def _legs(self) -> Iterator[tuple[Round, Row]]:
        for playing in self._rounds:
            for row in self._rows(playing):
                yield playing, row

    def _rows(self, playing: Round) -> list[Row]:
        table = self._table(playing.recording)
        if not playing.changed:
            return table
        script, rows = self._changed.get(playing.number, (None, []))
        if script is not playing.script:
            rows = as_it_went(table, playing.script)
            self._changed[playing.number] = playing.script, rows
        return rows

    def _table(self, recording: Recording) -> list[Row]:
        if recording not in self._tables:
            path = expected.table_of(recording)
            if not path.exists():
                raise NoTableError(f"{recording.path}: no expected table {path}, so its truth is not known")
            self._tables[recording] = expected.read_table(path, recording)
        return self._tables[recording]


def _was_cut(playing: Round, row: Row) -> bool:
    return playing.cut is not None and playing.started + row.end > playing.cut


def _state(row: Row, offset: int) -> State:
    if row.answer is not None and row.answer <= offset:
        return "LINK"
    if row.kind == "caller" or offset < row.start:
        return "RING"
    return "RINGING" if row.ring is not None and row.ring <= offset else "DIAL"


def _leg(playing: Round, row: Row, state: State | None) -> ExpectedLeg:
    texts, caller_only = row.texts, state == "RING"
    return ExpectedLeg(
        round=playing.number,
        scenario=playing.recording.path.name.partition(".")[0],
        kind=row.kind,
        src=texts["src"],
        dst=texts["dst"],
        dialled=texts["dialled"],
        exten=texts["exten"],
        did=texts["did"],
        caller=texts["caller"],
        called=None if caller_only else texts["called"],
        srcuid=_fresh(playing, texts["srcuid"]),
        dstuid=None if caller_only else _fresh(playing, texts["dstuid"]),
        born=to_datetime(playing.started + row.born),
        start=to_datetime(playing.started + row.start),
        ring=None if row.ring is None else to_datetime(playing.started + row.ring),
        answer=None if row.answer is None else to_datetime(playing.started + row.answer),
        end=to_datetime(playing.started + row.end),
        disposition=texts["disposition"],
        billsec=row.billsec,
        cause=texts["cause"],
        state=state,
    )


def _fresh(playing: Round, uniqueid: str | None) -> str | None:
    return None if uniqueid is None else playing.fresh(Identity(IdentityKind.UNIQUEID, uniqueid))
