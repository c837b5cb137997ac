"""`legbook fakepbx RECORDING…`: a PBX that plays recordings to whoever logs in, until they end or it is told to."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from legbook.fakepbx import FakePbx, Speed
from legbook.fakepbx.server import HOST

Recordings = Annotated[
    list[Path], typer.Argument(help="Recordings (.jsonl, .jsonl.gz); they take turns.", show_default=False)
]
Port = Annotated[int, typer.Option(help="0: any free port.", min=0, max=65535)]
Times = Annotated[str, typer.Option(help="How many times faster than real, or: flat.")]
Rounds = Annotated[int | None, typer.Option(help="How many calls in all; without it: for ever.")]
Spacing = Annotated[
    float | None, typer.Option(help="Seconds between the starts of calls; without it: one after the other.")
]
Username = Annotated[str, typer.Option(envvar="FAKEPBX_USERNAME", help="Who may log in.")]
Secret = Annotated[str, typer.Option(envvar="FAKEPBX_SECRET", help="With which password.")]
Name = Annotated[str, typer.Option(help="Its name in messages.")]


def fakepbx(
    recordings: Recordings,
    port: Port = 5038,
    speed: Times = "1",
    rounds: Rounds = None,
    spacing: Spacing = None,
    username: Username = "legbook",
    secret: Secret = "legbook",  # noqa: S107 (loopback only)
    name: Name = "fake",
) -> None:
    """Play recordings of real Asterisk as a PBX of our own; the calls begin with the first login."""
    try:
        pbx = FakePbx(
            name,
            recordings,
            port=port,
            speed=_speed(speed),
            rounds=rounds,
            spacing=spacing,
            username=username,
            secret=secret,
            begin_on_login=True,
        )
    except ValueError as error:
        raise _refusal(error) from None
    asyncio.run(_run(pbx))


def _refusal(error: Exception) -> typer.Exit:
    typer.echo(f"fakepbx: {error}", err=True)
    return typer.Exit(2)


def _speed(text: str) -> Speed:
    if text == "flat":
        return "flat"
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"speed {text}: a number above 0, or flat") from None


async def _run(pbx: FakePbx) -> None:
    """Until all is played, Ctrl-C or SIGTERM."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    try:
        await pbx.start()
    except OSError as error:
        raise _refusal(error) from None
    try:
        print(f"fakepbx {pbx.name}: AMI on {HOST}:{pbx.port}", flush=True)
        ends = [asyncio.create_task(told.wait()), asyncio.create_task(pbx.finished_playing())]
        done, running = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
        for task in done:
            task.result()
    finally:
        await pbx.stop()
