"""What the demo shows: tables that change in place on a terminal, one plain line a change elsewhere."""

import sys
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

_COLOURS = {"RING": "cyan", "DIAL": "blue", "RINGING": "yellow", "LINK": "green"}


class Screen(Protocol):
    """Told what the databases say, as often as you like."""

    def show(self, live: list[dict[str, Any]], finished: int, last: list[dict[str, Any]]) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


def choose(addresses: list[str], hangup: str) -> Screen:
    """`hangup`: what to type before the PBX and the id of a leg."""
    return Terminal(addresses, hangup) if sys.stdout.isatty() else Plain(addresses, hangup)


class Terminal:
    """For people."""

    def __init__(self, addresses: list[str], hangup: str) -> None:
        self._addresses, self._hangup = addresses, hangup
        self._live = Live(console=Console(), refresh_per_second=8)

    def show(self, live: list[dict[str, Any]], finished: int, last: list[dict[str, Any]]) -> None:
        below = ["hang up a leg, in another terminal:", f"  {_line(self._hangup, live)}", *self._addresses]
        self._live.update(Group(_curcdr(live), Text(), _mycdr(finished, last), Text(), *map(Text, below)))

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


class Plain:
    """For pipes and logs."""

    def __init__(self, addresses: list[str], hangup: str) -> None:
        self._addresses, self._hangup = addresses, hangup
        self._told = False
        self._rows: dict[int, str] = {}
        self._finished: int | None = None

    def show(self, live: list[dict[str, Any]], finished: int, last: list[dict[str, Any]]) -> None:
        now = {row["id"]: f"{row['pbx']} {row['disposition']:8}{_who(row)}" for row in live}
        for leg_id, line in now.items():
            if self._rows.get(leg_id) != line:
                _print(f"curcdr {leg_id} {line}")
        if live and not self._told:
            self._told = True
            _print(f"hang up a leg:         {_line(self._hangup, live)}")
        for leg_id in self._rows.keys() - now.keys():
            _print(f"curcdr {leg_id} gone")
        if last and self._finished is not None:
            for row in reversed(last[: max(0, finished - self._finished)]):
                _print(
                    f"mycdr  {row['pbx']} {row['disposition']} {_who(row)}, {row['billsec']} s; {finished} in all"
                )
        self._rows, self._finished = now, finished

    def __enter__(self) -> Self:
        for address in self._addresses:
            _print(address)
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()


def _line(hangup: str, live: list[dict[str, Any]]) -> str:
    """For the youngest leg that talks, or rings: it is there for a while."""
    ready = [row for row in live if row["dstuid"]]
    talking = [row for row in ready if row["disposition"] == "LINK"]
    row = next(iter((talking or ready)[::-1]), None)
    return f"{hangup} {row['pbx']} {row['id']}" if row else f"{hangup} PBX ID"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _who(row: dict[str, Any]) -> str:
    to = row.get("dstchan") or row.get("dstdevice") or "nobody yet"
    return f"{row['src']} -> {row['dst']} on {to}"


def _curcdr(rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"MySQL curcdr: {len(rows)} legs now", title_justify="left", min_width=100)
    for name in ("id", "pbx", "src", "dst", "did", "dstchan", "disposition", "since", "answered"):
        table.add_column(name)
    for row in rows:
        state = Text(row["disposition"], style=_COLOURS.get(row["disposition"], ""))
        answered = "" if str(row["answertime"]).startswith("0000") else f"{row['answertime']:%H:%M:%S}"
        table.add_row(
            str(row["id"]), row["pbx"], row["src"], row["dst"], row["didnumber"], row["dstchan"], state,
            f"{row['starttime']:%H:%M:%S}", answered,
        )  # fmt: skip
    return table


def _mycdr(finished: int, last: list[dict[str, Any]]) -> Table:
    table = Table(
        title=f"ClickHouse mycdr: {finished} finished legs, the newest", title_justify="left", min_width=100
    )
    for name in ("pbx", "src", "dst", "phone", "disposition", "talk s", "ended"):
        table.add_column(name)
    for row in last:
        table.add_row(
            row["pbx"], row["src"], row["dst"], row["dstdevice"], row["disposition"], str(row["billsec"]),
            f"{row['end']:%H:%M:%S}",
        )  # fmt: skip
    return table
