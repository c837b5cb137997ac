"""`legbook doctor`: examines every server of an installation, as its services would find it; changes nothing."""

import asyncio
import importlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from legbook.cli.doctor.finding import Check, Finding, Findings, Level, fail
from legbook.cli.lines import harmless
from legbook.runtime import fleet, logs
from legbook.runtime.fleet import FleetError, Pbx
from legbook.runtime.settings import FleetSettings, load
from legbook.runtime.stop import CannotStartError

_AT_ONCE: Final = 20
_STYLES: Final = {Level.ok: "green", Level.warn: "yellow", Level.fail: "bold red"}
_SERVERS: Final = ("kafka", "mysql", "clickhouse")


def doctor(
    pbx: Annotated[
        str | None, typer.Option(help="Of the fleet file only this one.", show_default=False)
    ] = None,
    listen: Annotated[float, typer.Option(min=0, help="Seconds that a PBX has to make a call event.")] = 10.0,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a finding.")] = False,
) -> None:
    """Examine PBXs, Kafka, MySQL and ClickHouse as the services would find them; change nothing.

    Exit code 0: nothing failed (warnings do not count); 1: something did.
    """
    logs.configure("error")
    checks = dict(_checks(pbx, listen))
    for library in ("aiokafka", "clickhouse_connect", "urllib3"):  # what they log, they raise too
        logging.getLogger(library).setLevel(logging.CRITICAL)
    show = _as_json if json else _Text().show
    if not json:
        typer.echo(f"looking at all servers at once; PBXs have {listen:.0f} s to make a call event", err=True)
    levels = asyncio.run(_examine(checks, show))
    counts = {level: levels.count(level) for level in Level}
    if not json:
        typer.echo(f"{counts[Level.fail]} failed, {counts[Level.warn]} warnings, {counts[Level.ok]} fine")
    raise typer.Exit(1 if counts[Level.fail] else 0)


def _checks(only: str | None, listen: float) -> Iterator[tuple[str, Check]]:
    """What is examined, in the order in which it is told."""
    try:
        pbxs = fleet.load(load(FleetSettings).fleet)
    except (FleetError, CannotStartError) as error:
        yield "fleet file", _told(fail(str(error), "write it (README, Your own PBX), or set LEGBOOK_FLEET"))
        pbxs = {}
    if only is not None and pbxs and only not in pbxs:
        raise typer.BadParameter(f"the fleet file has {', '.join(pbxs)}, not {only}", param_hint="--pbx")
    for name, place in pbxs.items():
        if only in {None, name}:
            yield f"pbx {name}, {place.host}:{place.port}", _of_pbx(name, place, listen)
    for name in _SERVERS:
        yield name, _of_server(name)


def _of_pbx(name: str, place: Pbx, listen: float) -> Check:
    try:  # here and below not at the top: other commands, and other checks, work without the extra
        from legbook.cli.doctor import pbx  # noqa: PLC0415
    except ImportError as error:
        return _lacking(error, "ami")
    return lambda: pbx.check(name, place, listen)


def _of_server(name: str) -> Check:
    try:
        check: Check = importlib.import_module(f"legbook.cli.doctor.{name}").check
    except ImportError as error:
        return _lacking(error, "migrate")
    return check


def _lacking(error: ImportError, extra: str) -> Check:
    return _told(fail(f"{error.name} is not installed", f"pip install 'legbook[{extra}]'"))


def _told(finding: Finding) -> Check:
    async def check() -> Findings:
        yield finding

    return check


async def _examine(checks: Mapping[str, Check], show: Callable[[str, Finding], None]) -> list[Level]:
    """All at once, told in order."""
    few, levels = asyncio.Semaphore(_AT_ONCE), list[Level]()

    async def whole(check: Check) -> list[Finding]:
        async with few:
            return [finding async for finding in check()]

    async with asyncio.TaskGroup() as tasks:
        running = {title: tasks.create_task(whole(check)) for title, check in checks.items()}
        for title, task in running.items():
            for finding in await task:
                show(title, finding)
                levels.append(finding.level)
    return levels


def _as_json(title: str, finding: Finding) -> None:
    facts = {"server": title, "level": finding.level, "seen": finding.seen, "todo": finding.todo}
    typer.echo(msgspec.json.encode(facts).decode())


class _Text:
    """A title where a new server begins; nothing that a server said moves the cursor."""

    def __init__(self) -> None:
        self._console, self._title = Console(highlight=False, soft_wrap=True), ""

    def show(self, title: str, finding: Finding) -> None:
        if title != self._title:
            self._title = title
            self._console.print(Text(title, "bold"))
        self._console.print(
            Text(f"  {finding.level:<4}  ", _STYLES[finding.level]) + Text(harmless(finding.seen))
        )
        if finding.todo:
            self._console.print(Text(f"        -> {harmless(finding.todo)}", "cyan"))
