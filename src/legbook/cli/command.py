"""`legbook command …`: publishes a command, waits for its result and prints it."""

import asyncio
import getpass
from contextlib import AsyncExitStack
from enum import StrEnum
from typing import Annotated, Final

import typer
from aiokafka.errors import KafkaError

from legbook.client import Client, NoResultError
from legbook.contracts import codec
from legbook.contracts.commands import CommandResult
from legbook.runtime import logs
from legbook.runtime.settings import KafkaSettings, load
from legbook.runtime.stop import CANNOT_START, CannotStartError

app = typer.Typer(no_args_is_help=True, help="Ask a PBX to do something; needs a running command_gateway.")
REACHED: Final = 10.0  # seconds


class Side(StrEnum):
    """Which channels of a leg."""

    SRC = "src"
    DST = "dst"
    BOTH = "both"


@app.callback()
def group() -> None:
    """Ask a PBX to do something; needs a running command_gateway."""


@app.command()
def hangup(
    pbx: Annotated[str, typer.Argument(help="Name of the PBX, as in curcdr.pbx.")],
    leg: Annotated[int, typer.Argument(help="The leg: id in curcdr.")],
    *,
    side: Annotated[Side, typer.Option(help="The caller's channel, the phone's, or both.")] = Side.DST,
    patience: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds until it expires.")] = 5.0,
    actor: Annotated[str, typer.Option(help="In whose name.", show_default="you")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
) -> None:
    """Hang up a live leg. Exit code 0: it is done; 1: it is not, or nobody knows."""
    logs.configure("error")  # what goes wrong is said here

    async def ask() -> CommandResult:
        client = Client(issuer="legbook-cli", settings=load(KafkaSettings))
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(REACHED):
                await stack.enter_async_context(client)
            who = actor or getpass.getuser()
            return await client.hangup(pbx, leg, side=side.value, actor=who, patience=patience)

    try:
        result = asyncio.run(ask())
    except NoResultError as error:
        typer.echo(f"legbook command: {error}", err=True)
        raise typer.Exit(1) from None
    except (CannotStartError, KafkaError, TimeoutError) as error:
        why = str(error) or f"Kafka was not reached, or has no topics of ours, within {REACHED:.0f} s"
        typer.echo(f"legbook command: {why}; KAFKA_BOOTSTRAP_SERVERS says where Kafka is", err=True)
        raise typer.Exit(CANNOT_START) from None
    typer.echo(codec.encode(result).decode() if as_json else told(result))
    raise typer.Exit(0 if result.state == "done" else 1)


def told(result: CommandResult) -> str:
    why = f" ({result.reason})" if result.reason else ""
    channels = f" [{', '.join(result.uniqueids)}]" if result.uniqueids else ""
    return f"{result.state}{why}: {result.message or 'no more is known'}{channels}"
