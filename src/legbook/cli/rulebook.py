"""The numbered rules of the fold as its modules say them: `answers.1` is rule 1 of the module `answers`."""

import importlib
import pkgutil
import re
from functools import cache

from legbook import calls
from legbook.calls import rules

_NUMBER = re.compile(r"(\d+)\. (.*)")


@cache
def sentences() -> dict[str, str]:
    """Rule -> its sentence, in one line."""
    found: dict[str, str] = {}
    for package in (calls, rules):
        for module in pkgutil.iter_modules(package.__path__):
            text = importlib.import_module(f"{package.__name__}.{module.name}").__doc__ or ""
            found |= {f"{module.name}.{number}": said for number, said in _numbered(text).items()}
    return found


def _numbered(docstring: str) -> dict[str, str]:
    """A rule begins with its number and goes on while the lines are indented."""
    found: dict[str, str] = {}
    number = ""
    for line in docstring.splitlines():
        begins = _NUMBER.match(line)
        if begins:
            number, found[begins[1]] = begins[1], begins[2]
        elif number and line.startswith("   "):
            found[number] += f" {line.strip()}"
        else:
            number = ""
    return found


def sentence(rule: str) -> str:
    """KeyError: no module has that rule."""
    return sentences()[rule]
