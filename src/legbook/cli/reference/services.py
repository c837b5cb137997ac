"""The services whose pages are written, as far as they are installed: cli imports none of them by name."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

SERVICES: Final = ("ami_ingest", "curcdr_projector", "cdr_archiver", "command_gateway")


def modules(name: str) -> Iterator[tuple[str, ModuleType]]:
    """(service, its module of this name)."""
    for service in SERVICES:
        if find_spec(service):
            yield service, import_module(f"{service}.{name}")
