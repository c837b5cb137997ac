"""The `legbook` command: one file a command."""

import typer

from legbook.cli import fakepbx, fold, migrate, reference, topics

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(fold.fold)
app.command()(fakepbx.fakepbx)
app.command()(migrate.migrate)
app.command()(reference.reference)
app.add_typer(topics.app, name="topics")
