"""`python -m legbook.devstack` runs the stack until it is told to end, or only fetches its servers."""

import signal
import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from legbook.devstack.server import StackError
from legbook.devstack.stack import NAMES, Stack, servers


def say(line: str) -> None:
    print(line, flush=True)


def run(
    folder: Annotated[Path, typer.Option(help="Data, logs, ports and env.sh.")] = Path(".legbook/stack"),
    only: Annotated[str, typer.Option(help="Some of the servers, with commas.")] = ",".join(NAMES),
    *,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch the servers and end.")] = False,
) -> None:
    """Kafka, MariaDB and ClickHouse on loopback, until Ctrl-C."""
    names = [name.strip() for name in only.split(",")]
    try:
        if fetch:
            for server in servers(names).values():
                server.install(say)
        else:
            stay(Stack(folder, only=names, progress=say))
    except StackError as error:
        sys.exit(f"devstack: {error}")


def stay(stack: Stack) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    with stack:
        for variable, address in stack.env.items():
            say(f"  {variable}={address}")
        say(f"  . {stack.folder / 'env.sh'}")
        while not stack.ended():
            time.sleep(0.5)
        raise StackError(f"{', '.join(stack.ended())} ended by itself, see the logs in {stack.folder}")


def leave(_number: int, _frame: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    typer.run(run)
