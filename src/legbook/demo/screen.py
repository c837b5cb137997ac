"""What the demo shows: tables that change in place on a terminal, one plain line a change elsewhere."""

import sys
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from legbook.cli import rows


class Screen(Protocol):
    """Told what the databases say, as often as you like."""

    def show(self, live: list[dict[str, Any]], finished: int, last: list[dict[str, Any]]) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


CLICK = "originate hq PJSIP/201 90555123"


def choose(addresses: list[str], command: str) -> Screen:
    """`command`: what to type before the verb."""
    return Terminal(addresses, command) if sys.stdout.isatty() else Plain(addresses, command)


class Terminal:
    """For people."""

    def __init__(self, addresses: list[str], command: str) -> None:
        self._addresses, self._command = addresses, command
        self._live = Live(console=Console(), refresh_per_second=8)

    def show(self, live: list[dict[str, Any]], finished: int, last: list[dict[str, Any]]) -> None:
        self._live.update(self.drawn(live, finished, last))

    def drawn(self, live: list[dict[str, Any]], finished: int, last: list[dict[str, Any]]) -> Group:
        """All that is on the screen."""
        below = [
            "in another terminal, hang up a leg, or let 201 ring and dial for it:",
            f"  {self._command} {_hangup(live)}",
            f"  {self._command} {CLICK}",
            *self._addresses,
        ]
        return Group(
            rows.table(live, f"MySQL curcdr: {len(live)} legs now"),
            Text(),
            _mycdr(finished, last),
            Text(),
            *map(Text, below),
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


class Plain:
    """For pipes and logs."""

    def __init__(self, addresses: list[str], command: str) -> None:
        self._addresses, self._command = addresses, command
        self._told = False
        self._changes = rows.Changes()
        self._finished: int | None = None

    def show(self, live: list[dict[str, Any]], finished: int, last: list[dict[str, Any]]) -> None:
        for line in self._changes.told(live):
            _print(line)
        if live and not self._told:
            self._told = True
            _print(f"hang up a leg:         {self._command} {_hangup(live)}")
        if last and self._finished is not None:
            for row in reversed(last[: max(0, finished - self._finished)]):
                _print(
                    f"mycdr  {row['pbx']} {row['disposition']} {rows.who(row)}, {row['billsec']} s; {finished} in all"
                )
        self._finished = finished

    def __enter__(self) -> Self:
        for address in self._addresses:
            _print(address)
        _print(f"click to dial:         {self._command} {CLICK}")
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()


def _hangup(live: list[dict[str, Any]]) -> str:
    """Of the youngest leg that talks, or rings: it is there for a while."""
    ready = [row for row in live if row["dstuid"]]
    talking = [row for row in ready if row["disposition"] == "LINK"]
    row = next(iter((talking or ready)[::-1]), None)
    return f"hangup {row['pbx']} {row['id']}" if row else "hangup PBX ID"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


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
