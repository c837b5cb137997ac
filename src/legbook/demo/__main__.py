"""`python -m legbook.demo [--seconds N]`: what `make demo` runs."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from legbook.demo import pbxs, screen
from legbook.demo import picture as svg
from legbook.demo.playing import playing
from legbook.demo.world import SERVICES, World
from legbook.devstack import StackError

_EVERY = 0.15  # seconds between two looks


def main(
    folder: Annotated[Path, typer.Option(help="Data and logs; kept for the next start.")] = Path(".demo"),
    seconds: Annotated[float, typer.Option(help="End after so long; 0: at Ctrl-C.")] = 0,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the screen into this SVG when much is going on, and end.")
    ] = None,
) -> None:
    """Start everything on loopback and show the calls."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with World(folder, _tell()) as world:
            asyncio.run(_draw(world, picture) if picture else _show(world, seconds))
    except StackError as error:
        typer.echo(f"demo: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("stopped")


def _tell() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda line: typer.echo(f"{time.monotonic() - began:6.1f} s  {line}")


async def _show(world: World, seconds: float) -> None:
    played = [pbxs.for_demo(name) for name in pbxs.NAMES]
    async with playing(world, played) as watch:
        with screen.choose(_addresses(world), _command(world)) as shown:
            deadline = time.monotonic() + seconds if seconds else float("inf")
            while time.monotonic() < deadline:
                await asyncio.to_thread(lambda: shown.show(watch.live(), watch.finished(), watch.last(6)))
                for name in SERVICES:
                    if world.exit_code(name) is not None:
                        raise StackError(f"{name} has ended:\n{world.log(name)[-2000:]}")
                await asyncio.sleep(_EVERY)


async def _draw(world: World, path: Path) -> None:
    terminal = screen.Terminal(_addresses(world), _command(world))
    async with playing(world, [pbxs.for_demo(name) for name in pbxs.NAMES]) as watch:
        live, finished = watch.live(), watch.finished()
        while not svg.is_good(live, finished):
            await asyncio.sleep(_EVERY)
            live, finished = await asyncio.to_thread(lambda: (watch.live(), watch.finished()))
        svg.save(terminal.drawn(live, finished, watch.last(6)), "make demo", path)


def _command(world: World) -> str:
    servers = world.env["KAFKA_BOOTSTRAP_SERVERS"]
    return f"KAFKA_BOOTSTRAP_SERVERS={servers} .venv/bin/legbook command"


def _addresses(world: World) -> list[str]:
    return [
        f"any MySQL client:      {world.env['MYSQL_URL']}   table curcdr",
        f"any ClickHouse client: {world.env['CLICKHOUSE_URL']}   views cdr and calls",
        f"Kafka:                 {world.env['KAFKA_BOOTSTRAP_SERVERS']}   logs: {world.folder}/*.log   end: Ctrl-C",
    ]


if __name__ == "__main__":
    typer.run(main)
