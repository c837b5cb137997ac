"""`python -m legbook.cli`."""

from legbook.cli import app

app()
