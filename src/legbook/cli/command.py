"""`legbook command …`: publishes a command, waits for its result and prints it."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from enum import StrEnum
from typing import Annotated

import typer

from legbook.cli.reaching import PATIENCE, UNREACHABLE, partition_count, why
from legbook.client import Client, NoResultError
from legbook.contracts import codec
from legbook.contracts.commands import CommandResult
from legbook.contracts.topics import COMMANDS, RESULTS
from legbook.runtime import logs
from legbook.runtime.settings import KafkaSettings, load
from legbook.runtime.stop import CANNOT_START

app = typer.Typer(no_args_is_help=True, help="Ask a PBX to do something; needs a running command_gateway.")


class Side(StrEnum):
    """Which channels of a leg."""

    SRC = "src"
    DST = "dst"
    BOTH = "both"


@app.callback()
def group() -> None:
    """Ask a PBX to do something; needs a running command_gateway."""


Pbx = Annotated[str, typer.Argument(help="Name of the PBX, as in curcdr.pbx.")]
Patience = Annotated[float, typer.Option(min=0.1, max=60, help="Seconds until it expires.")]
Actor = Annotated[str, typer.Option(help="In whose name.", show_default="you")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as one JSON object.")]


@app.command()
def hangup(
    pbx: Pbx,
    leg: Annotated[int, typer.Argument(help="The leg: id in curcdr.")],
    *,
    side: Annotated[Side, typer.Option(help="The caller's channel, the phone's, or both.")] = Side.DST,
    patience: Patience = 5.0,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Hang up a live leg. Exit code 0: it is done; 1: it is not, or nobody knows."""
    who = actor or getpass.getuser()
    _ask(
        lambda client: client.hangup(pbx, leg, side=side.value, actor=who, patience=patience),
        as_json=as_json,
    )


@app.command()
def originate(
    pbx: Pbx,
    endpoint: Annotated[str, typer.Argument(help="Rings first: PJSIP/201, or Local/NUMBER@CONTEXT.")],
    exten: Annotated[str, typer.Argument(help="Dialled when it has answered.")],
    *,
    context: Annotated[str, typer.Option(help="Context of the dialplan.")] = "from-internal",
    ring: Annotated[int, typer.Option(min=1, max=60, help="Seconds that it may ring.")] = 30,
    caller_name: Annotated[str, typer.Option(help="Shown while it rings.")] = "",
    caller_number: Annotated[str, typer.Option(help="Shown while it rings.")] = "",
    patience: Patience = 5.0,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Click-to-dial: ring one phone, then dial for it. Exit code 0: it has answered; 1: not, or nobody knows."""
    who = actor or getpass.getuser()
    _ask(
        lambda client: client.originate(
            pbx,
            endpoint,
            exten,
            context=context,
            actor=who,
            ring=ring,
            caller_name=caller_name,
            caller_number=caller_number,
            patience=patience,
        ),
        as_json=as_json,
    )


def _ask(command: Callable[[Client], Awaitable[CommandResult]], *, as_json: bool) -> None:
    """Prints the result and ends with its exit code."""
    logs.configure("error")  # what goes wrong is said here

    async def ask() -> CommandResult:
        settings = load(KafkaSettings)
        client = Client(issuer="legbook-cli", settings=settings)
        async with AsyncExitStack() as stack:
            await partition_count(settings, COMMANDS, RESULTS)
            async with asyncio.timeout(PATIENCE):
                await stack.enter_async_context(client)
            return await command(client)

    try:
        result = asyncio.run(ask())
    except NoResultError as error:
        typer.echo(f"legbook command: {error}", err=True)
        raise typer.Exit(1) from None
    except UNREACHABLE as error:
        typer.echo(f"legbook command: {why(error)}", err=True)
        raise typer.Exit(CANNOT_START) from None
    typer.echo(codec.encode(result).decode() if as_json else told(result))
    raise typer.Exit(0 if result.state == "done" else 1)


def told(result: CommandResult) -> str:
    reason = f" ({result.reason})" if result.reason else ""
    channels = f" [{', '.join(result.uniqueids)}]" if result.uniqueids else ""
    return f"{result.state}{reason}: {result.message or 'no more is known'}{channels}"
