"""`legbook reference`: docs/reference/, written from the code that its pages are about; one module a page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from legbook.cli.reference import commandline, legs, metrics, settings, tables, topics
from legbook.contracts.generate import differing, write

_PAGES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "cli.md": commandline.page,
    "legs.md": legs.page,
    "metrics.md": metrics.page,
    "settings.md": settings.page,
    "tables.md": tables.page,
    "topics.md": topics.page,
}


def reference(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path("docs/reference"),
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; name what differs, exit 1.")] = False,
) -> None:
    """Write the reference pages from the code. Exit code 1: a page is not what the code says."""
    files = pages()
    if not check:
        write(folder, files)
    wrong = {name: why for name, why in differing(folder, files).items() if name in files}
    for name, why in wrong.items():
        typer.echo(f"{folder / name}: {why}", err=True)
    if wrong:
        raise typer.Exit(1)


def pages() -> dict[str, str]:
    """Name of the file -> text."""
    return {name: "\n".join(page()) for name, page in _PAGES.items()}
