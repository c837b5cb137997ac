"""The `legbook` command: one file a command."""

import typer

from legbook.cli import (
    command,
    doctor,
    explain,
    fakepbx,
    fold,
    migrate,
    reference,
    status,
    tail,
    topics,
    watch,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(fold.fold)
app.command()(doctor.doctor)
app.command()(explain.explain)
app.command()(fakepbx.fakepbx)
app.command()(migrate.migrate)
app.command()(reference.reference)
app.command()(status.status)
app.command()(tail.tail)
app.command()(watch.watch)
app.add_typer(command.app, name="command")
app.add_typer(topics.app, name="topics")
