"""Every table agrees with what Asterisk itself wrote of the recording: its CEL, and its CDR where that is right.

The fold has no part in this: the tables are judged, by two witnesses that know none of our rules.
tests/fixtures/witnesses has both of every recording, cut down to a few columns; `cdr_wrong.txt` there names every
CDR row that no leg agrees with, and why it is the CDR that is wrong.
"""

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"
WITNESSES = FIXTURES / "witnesses"
WRONG = WITNESSES / "cdr_wrong.txt"
TOLERANCE = 1.0  # seconds
BLINK = 0.1  # seconds: a talk that short need not be in both, a gap that short is none
PRETEND = ("Local", "CBAnn", "CBRec", "Announcer", "Recorder", "Surrogate", "AsyncGoto", "Message")
CDR_KEY = ("channel", "dstchannel", "dst", "disposition", "billsec")

Row = dict[str, str]


def _rows(path: Path) -> list[Row]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    head, *rows = [re.split(r" {2,}", line.strip()) for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def _name(table: Path) -> str:
    """The recording's name: `second/` read after it is the same recording for Asterisk."""
    return f"{table.parent.name}/{table.name.removesuffix('.txt').removesuffix('+second')}"


def _witness(name: str, kind: str) -> Path:
    return WITNESSES / f"{name}.{kind}.gz"


TABLES = [
    table
    for table in sorted((FIXTURES / "expected").glob("*/*.txt"))
    if "." not in table.stem and _witness(_name(table), "cel.jsonl").exists()
]
tables = pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.parent.name}/{table.stem}")


@dataclass(frozen=True, slots=True)
class Together:
    """The same real channels in one conversation."""

    who: tuple[str, ...]
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """What the CEL of one recording tells."""

    talks: list[Together]
    up: dict[str, float]
    gone: dict[str, float]
    names: dict[str, str]


@cache
def _told(name: str) -> Told:
    with gzip.open(_witness(name, "cel.jsonl"), "rt") as lines:
        rows: list[dict[str, Any]] = sorted(map(json.loads, lines), key=lambda row: float(row["time"]))
    up, gone = [
        {row["uniqueid"]: row["time"] for row in reversed(rows) if row["event"] == event}
        for event in ("ANSWER", "HANGUP")
    ]
    return Told(_talks(rows), up, gone, {row["channel"]: row["uniqueid"] for row in rows})


def _talks(rows: Iterable[dict[str, Any]]) -> list[Together]:
    """The maximal intervals of every set of two or more real channels."""
    rooms: dict[str, int] = {}
    uids: dict[str, str] = {}
    going: dict[tuple[str, ...], float] = {}
    done: list[Together] = []
    for row in rows:
        channel, time = row["channel"], row["time"]
        uids[channel] = row["uniqueid"]
        if row["event"] == "BRIDGE_ENTER" and not row.get("holding"):
            rooms[channel] = row["bridge"]
        elif row["event"] == "HANGUP" or row.get("bridge") == rooms.get(channel, 0):
            rooms.pop(channel, None)
        now = {tuple(sorted(uids[each] for each in group)) for group in _groups(rooms)}
        done += [Together(who, going.pop(who), time) for who in going.keys() - now]
        going |= dict.fromkeys(now - going.keys(), time)
    return _merged([*done, *(Together(who, start, None) for who, start in going.items())])


def _groups(rooms: dict[str, int]) -> list[set[str]]:
    """Real channels that hear each other: bridges that a Local pair joins are one."""
    joined = {bridge: bridge for bridge in rooms.values()}
    for channel, bridge in rooms.items():
        other = rooms.get(f"{channel[:-1]}2") if channel.endswith(";1") else None
        if other is not None:
            old, new = joined[bridge], joined[other]
            joined = {each: new if root == old else root for each, root in joined.items()}
    groups: dict[int, set[str]] = {}
    for channel, bridge in rooms.items():
        if _is_real(channel):
            groups.setdefault(joined[bridge], set()).add(channel)
    return [group for group in groups.values() if len(group) > 1]


def _is_real(channel: str) -> bool:
    return channel.partition("/")[0] not in PRETEND


def _merged(talks: list[Together]) -> list[Together]:
    merged: list[Together] = []
    for talk in sorted(talks, key=lambda each: (each.who, each.start)):
        last = merged[-1] if merged else None
        if last and last.who == talk.who and last.end is not None and talk.start - last.end <= BLINK:
            merged[-1] = Together(talk.who, last.start, talk.end)
        else:
            merged.append(talk)
    return merged


def _near(cell: str, told: float | None) -> bool:
    """A cell of a table and the witness. `~`: an estimate, which may be early. `open`: the recording ends before."""
    if cell == "open" or (cell.startswith("~") and told is None):
        return True
    if cell == "-" or told is None:
        return cell == "-" and told is None
    if cell.startswith("~"):
        return float(cell[1:]) <= told + TOLERANCE
    return abs(float(cell) - told) <= TOLERANCE


def _same(row: Row, talk: Together) -> bool:
    then = _near(row["start"], talk.start) and _near(row["end"], talk.end)
    return then and tuple(row["channels"].split(",")) == talk.who


def _lasts(start: float, end: float | None) -> bool:
    return end is None or end - start > BLINK


@tables
def test_every_talk_of_the_table_is_in_cel_and_every_other_way(table: Path) -> None:
    told = _told(_name(table)).talks

    rows = _rows(table.with_name(f"{table.stem}.talks.txt"))
    ends = [None if row["end"] == "open" else float(row["end"].removeprefix("~")) for row in rows]
    lasting = [row for row, end in zip(rows, ends, strict=True) if _lasts(float(row["start"]), end)]
    assert [row for row in lasting if not any(_same(row, talk) for talk in told)] == []
    heard = [talk for talk in told if _lasts(talk.start, talk.end) and not _is_beyond(table, talk)]
    assert [talk for talk in heard if not any(_same(row, talk) for row in rows)] == []


def _is_beyond(table: Path, talk: Together) -> bool:
    """Asterisk went on writing when the link of this recording was down."""
    open_legs = [float(row["born"]) for row in _rows(table) if row["end"] == "open"]
    return bool(open_legs) and talk.start > max(open_legs) + TOLERANCE


@tables
def test_every_answer_and_every_end_is_in_cel(table: Path) -> None:
    told = _told(_name(table))
    for row in _rows(table):
        uid = row["dstuid"] if row["kind"] != "caller" else row["srcuid"]
        assert _near(row["end"], told.gone.get(uid)), (row, told.gone.get(uid))
        if row["end"] != "open" or row["answer"] != "-":
            assert _near(row["answer"], _answer(row, told)), (row, _answer(row, told))


def _answer(row: Row, told: Told) -> float | None:
    """Together with anybody; an originated or spying phone has nobody yet: up."""
    if row["kind"] == "caller":
        return None
    if {"originated", "spy_on"} & {flag.partition("=")[0] for flag in row["flags"].split(",")}:
        return told.up.get(row["dstuid"])
    starts = [talk.start for talk in told.talks if row["dstuid"] in talk.who]
    return min((start for start in starts if start >= float(row["born"]) - TOLERANCE), default=None)


def _cdr(name: str) -> list[Row]:
    with gzip.open(_witness(name, "cdr.csv"), "rt", newline="") as lines:
        return list(csv.DictReader(lines))


def _agrees(row: Row, leg: Row, called: str) -> bool:
    """A CDR row and a leg: the same channels, the same outcome, as long a talk."""
    channels = {(row["uniqueid"], called)} | ({("-", row["uniqueid"])} if called == "-" else set())
    if (leg["srcuid"], leg["dstuid"]) not in channels:
        return False
    if leg["end"] == "open":
        return True
    if row["disposition"].replace("CONGESTION", "FAILED") != leg["disposition"]:
        return False
    if leg["kind"] == "caller":  # has no billsec; what Asterisk says when it runs `h` is no leg
        return row["dst"] == leg["dst"]
    return _near(leg["billsec"], float(row["billsec"]))


def _key(row: Row) -> tuple[str, ...]:
    cells = {name: re.sub(r"-[0-9a-f]{8}(?=;|$)", "", row[name]) or "-" for name in CDR_KEY}
    return tuple(cells[name] for name in CDR_KEY)


def _known_wrong(name: str) -> Counter[tuple[str, ...]]:
    rows = [row for row in _rows(WRONG) if row["recording"] == name]
    return Counter({tuple(row[each] for each in CDR_KEY): int(row["rows"]) for row in rows})


@tables
def test_every_cdr_row_agrees_with_a_leg_or_is_listed_as_wrong(table: Path) -> None:
    """A listed row that is not there, or that a leg agrees with, fails too."""
    name, legs = _name(table), _rows(table)
    names = _told(name).names
    found = Counter(
        _key(row)
        for row in _cdr(name)
        if not any(_agrees(row, leg, names.get(row["dstchannel"], "-")) for leg in legs)
    )

    assert found == _known_wrong(name)


def test_the_list_of_wrong_rows_names_tables_that_are_here() -> None:
    assert {row["recording"] for row in _rows(WRONG)} <= {_name(table) for table in TABLES}


def test_a_table_that_is_wrong_fails() -> None:
    """The witnesses would notice: an answer two seconds late, a talk that never was, a leg with the wrong outcome."""
    name = "16.28.0-chan_sip/01-simple-answered"
    [leg], [talk], [row] = _rows(FIXTURES / f"expected/{name}.txt"), _told(name).talks, _cdr(name)

    assert _near(leg["answer"], talk.start)
    assert not _near(f"{float(leg['answer']) + 2}", talk.start)
    assert not _near("-", talk.start)
    called = _told(name).names[row["dstchannel"]]
    assert _agrees(row, leg, called)
    assert not _agrees(row, leg | {"disposition": "NO ANSWER"}, called)
    assert not _agrees(row, leg | {"billsec": "3.0"}, called)
    assert not _agrees(row, leg | {"dstuid": "1.1"}, called)
