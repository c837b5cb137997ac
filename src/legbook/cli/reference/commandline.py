"""docs/reference/cli.md, from the commands themselves: what `--help` says, however wide the terminal is."""

from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from typing import Any, Final

import typer

from legbook.cli.reference.markdown import HEAD, table
from legbook.runtime.stop import CANNOT_START

_CODES: Final = {
    0: "done, or the answer is yes",
    1: "the answer is no, or something was not done; the command says which below",
    2: "it was called in a way that it does not understand",
    CANNOT_START: "what it needs is missing or away; the last line on stderr names the setting or the command to run",
}


def page() -> Iterator[str]:
    yield "# legbook\n"
    yield (
        "The command, `.venv/bin/legbook` after `make install`. Settings come from the environment: "
        f"[settings](settings.md). {HEAD}"
    )
    yield "## Exit codes\n"
    yield from table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in _CODES.items()))
    yield from _command(typer.main.get_command(import_module("legbook.cli").app), "legbook")


def _command(command: Any, path: str) -> Iterator[str]:
    """`command` is one of click's: those that have others in them, or those that do something."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield from _leaf(command, path)
    else:
        for name in sorted(inner):
            yield from _command(inner[name], f"{path} {name}")


def _leaf(command: Any, path: str) -> Iterator[str]:
    about = [each for each in command.params if each.name != "help"]
    names = [_placeholder(each) for each in about if each.param_type_name == "argument"]
    yield f"## {path}\n"
    yield f"```text\n{' '.join([path, *names, '[OPTION]…'])}\n```\n"
    yield " ".join((command.help or "").split()) + "\n"
    yield from table(("parameter", "default", "meaning"), map(_parameter, about))


def _placeholder(argument: Any) -> str:
    text = (argument.metavar or argument.name).upper() + ("…" if argument.nargs == -1 else "")
    return text if argument.required else f"[{text}]"


def _parameter(about: Any) -> tuple[str, str, str]:
    if about.param_type_name == "argument":
        name = f"`{_placeholder(about)}`"
    else:
        name = ", ".join(f"`{each}`" for each in (*about.opts, *about.secondary_opts))
    return name, _default(about), " ".join(filter(None, [about.help, *_bounds(about)]))


def _default(about: Any) -> str:
    if about.required:
        return "required"
    if isinstance(about.show_default, str):
        return about.show_default
    value = about.default.value if isinstance(about.default, Enum) else about.default
    if value is True:
        return f"`{about.opts[0]}`"
    return f"`{value}`" if value and about.show_default else ""


def _bounds(about: Any) -> Iterator[str]:
    kind = about.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        yield f"One of {', '.join(f'`{each.value}`' for each in kind)}."
    if about.envvar:
        yield f"Also by `{about.envvar}`."
    if about.min is not None:
        yield f"At least {about.min}."
    if about.max is not None:
        yield f"At most {about.max}."
