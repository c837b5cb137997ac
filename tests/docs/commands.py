"""What a line of shell calls, and what is wrong with that: no such command, option, module or target of ours."""

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import typer

from legbook.cli import app
from tests.docs.pages import ROOT

LEGBOOK: Any = typer.main.get_command(app)
TARGETS = frozenset(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def complaints(line: str) -> Iterator[str]:
    """Of each command in this line that is one of ours."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        yield f"{line}: {error}"
        return
    while words and "=" in words[0]:
        words = words[1:]  # VARIABLE=value before the command
    match [word.removeprefix(".venv/bin/") for word in words]:
        case ["legbook", *rest]:
            yield from _legbook([word for word in rest if word not in {"&", "|"}])
        case ["python" | "python3", "-m", module, *_] if not find_spec(module):
            yield f"there is no module {module}"
        case ["make", *targets]:
            yield from (f"make has no target {t}" for t in targets if "=" not in t and t not in TARGETS)
        case _:
            pass


def _legbook(words: list[str]) -> Iterator[str]:
    command = LEGBOOK
    while words and (inner := getattr(command, "commands", None)):
        if words[0] not in inner:
            yield f"legbook has no command {words[0]}"
            return
        command, words = inner[words[0]], words[1:]
    options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
    places = [each for each in command.params if each.param_type_name == "argument"]
    arguments = list(_arguments(words, options))
    yield from (f"{command.name} has no option {word}" for word in arguments if word.startswith("-"))
    given = [word for word in arguments if not word.startswith("-")]
    if len(given) > len(places) and not any(each.nargs == -1 for each in places):
        yield f"{command.name} takes {len(places)} arguments, not {given}"
    if (
        not getattr(command, "commands", None)
        and words
        and len(given) < sum(each.required for each in places)
    ):
        yield f"{command.name} needs {[each.name for each in places if each.required]}, not {given}"


def _arguments(words: list[str], options: dict[str, Any]) -> Iterator[str]:
    """What is no option that there is, nor the value of one."""
    rest = iter(words)
    for word in rest:
        option = options.get(word.partition("=")[0])
        if option is None or option.param_type_name == "argument":
            yield word
        elif not option.is_flag and "=" not in word and next(rest, None) is None:
            yield f"-- ({word} without its value)"
