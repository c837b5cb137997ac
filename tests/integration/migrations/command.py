"""`legbook migrate` in this process."""

from collections.abc import Mapping

import typer
from typer.testing import CliRunner, Result

from legbook.cli.migrate import migrate as command

_APP = typer.Typer()
_APP.command()(command)


def migrate(env: Mapping[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(_APP, arguments, env=env)
