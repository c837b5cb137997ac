"""The table of a scenario (`expected/scenarios`), true whichever Asterisk was recorded, and what is listed against.

Knows how to say a recording's own table in the words of the scenario's: channels are named after their devices, the
second channel of 201 is `201#2`. Under load a row stands for all legs alike, its times count from their birth and a
cell that is another in each is `*`. Knows no fold.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.recorded import FIXTURES, expected, expected_talks, tables

SCENARIOS = FIXTURES / "expected" / "scenarios"
DIFFERENCES = FIXTURES / "expected" / "differences.txt"
CLOSE = 0.03  # seconds; recordings of one scenario are up to 0.028 s apart

UNDER_LOAD = {"25a-load-50-concurrent", "25b-load-ringgroup", "25c-load-rate"}

_MOMENTS = {"born", "start", "ring", "answer", "end"}
_TIMES = {*_MOMENTS, "billsec", "held"}
_NUMBER = re.compile(r"\d+\.\d+")

Row = dict[str, str]
Rows = dict[str, Row]  # legs are named `caller>called`, talks `one,other`


class Difference(NamedTuple):
    """One cell of one row in which a recording is not as its scenario says; a row that is not there has kind `-`."""

    row: str
    column: str
    shared: str
    here: str


def scenario_of(recording: Path) -> str:
    return recording.name.removesuffix(".jsonl.gz")


def shared_rows(scenario: str) -> Rows:
    legs, talks = tables(SCENARIOS / f"{scenario}.txt")
    return _named(legs, talks)


def own_rows(recording: Path) -> Rows:
    legs, talks = expected(recording), expected_talks(recording)
    channels = _channels(legs, talks)
    for leg in legs:
        leg["caller"], leg["called"] = channels[leg.pop("srcuid")], channels[leg.pop("dstuid")]
    for talk in talks:
        parties = sorted(talk.pop("channels").split(","), key=_in_order)
        talk["devices"] = ",".join(channels[uid] for uid in parties)
    if scenario_of(recording) in UNDER_LOAD:
        legs, talks = _alike(legs), _alike(talks)
    return _named(legs, talks)


def differences(shared: Rows, own: Rows) -> set[Difference]:
    found = set(_of_order(shared, own))
    for name in shared.keys() | own.keys():
        if name not in own:
            found.add(Difference(name, "kind", shared[name]["kind"], "-"))
            continue
        row = shared.get(name, {})
        for column in row.keys() | own[name].keys():
            said, cell = row.get(column, "-"), own[name].get(column, "-")
            if not _agree(column, said, cell):
                found.add(Difference(name, column, said, _rounded(cell)))
    return found


def listed(profile: str, scenario: str) -> set[Difference]:
    _, rows = tables(DIFFERENCES)
    return {
        Difference(row["row"], row["column"], row["shared"], row["here"])
        for row in rows
        if (row["profile"], row["scenario"]) == (profile, scenario)
    }


def _channels(legs: list[Row], talks: list[Row]) -> dict[str, str]:
    device: dict[str, str] = {}
    for leg in legs:
        device |= {leg["srcuid"]: leg["caller"], leg["dstuid"]: leg["called"]}
    for talk in talks:
        device |= dict(zip(talk["channels"].split(","), talk["devices"].split(","), strict=True))
    names, seen = {}, Counter[str]()
    for uid in sorted(device, key=_in_order):
        seen[device[uid]] += 1
        names[uid] = device[uid] if seen[device[uid]] == 1 else f"{device[uid]}#{seen[device[uid]]}"
    return names


def _in_order(uid: str) -> list[str | int]:
    """Uniqueids end in a counter: .9 comes before .10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", uid)]


def _alike(rows: list[Row]) -> list[Row]:
    """One row for all that differ in number and time only."""
    groups = defaultdict(list)
    for row in rows:
        alike = {column: re.sub(r"#\d+", "", cell) for column, cell in row.items()}
        words = tuple(cell for column, cell in alike.items() if column not in {"src", *_TIMES})
        groups[words].append(_since_birth(alike))
    return [
        {"count": str(len(groups[words]))}
        | {column: _in_all(column, [row[column] for row in groups[words]]) for column in groups[words][0]}
        for words in sorted(groups)
    ]


def _since_birth(row: Row) -> Row:
    birth = float(row.get("born", row["start"]))
    moments = {column: float(cell) for column, cell in row.items() if column in _MOMENTS and cell != "-"}
    return row | {column: f"{moment - birth:.6f}" for column, moment in moments.items()}


def _in_all(column: str, cells: list[str]) -> str:
    middle = sorted(cells)[len(cells) // 2]
    return middle if all(_agree(column, middle, cell) for cell in cells) else "*"


def _named(legs: list[Row], talks: list[Row]) -> Rows:
    rows: Rows = {}
    for leg in legs:
        rows[_free(f"{leg['caller']}>{leg['called']}", rows)] = leg
    for talk in talks:
        times = {column: cell for column, cell in talk.items() if column != "devices"}
        rows[_free(talk["devices"], rows)] = {"kind": "talk", **times}
    return rows


def _free(name: str, rows: Rows) -> str:
    """The second row of this name is told from the first."""
    again = sum(each.partition(" ")[0] == name for each in rows)
    return f"{name} ({again + 1})" if again else name


def _of_order(shared: Rows, own: Rows) -> Iterator[Difference]:
    """Legs are listed as they were born: the caller's row goes on as the first of them."""
    wanted = [name for name in shared if ">" in name and name in own]
    found = [name for name in own if ">" in name and name in shared]
    if wanted != found:
        yield Difference("*", "order", _called(wanted), _called(found))


def _called(names: list[str]) -> str:
    return " ".join(name.partition(">")[2] for name in names)


def _agree(column: str, said: str, cell: str) -> bool:
    if column not in _TIMES:
        return said == cell
    return _NUMBER.sub("", said) == _NUMBER.sub("", cell) and all(
        abs(float(one) - float(other)) <= CLOSE
        for one, other in zip(_NUMBER.findall(said), _NUMBER.findall(cell), strict=True)
    )


def _rounded(cell: str) -> str:
    return _NUMBER.sub(lambda number: f"{float(number[0]):.2f}", cell)
