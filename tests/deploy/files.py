"""The files of deploy/ as values: compose files merged as Compose does, the Dockerfile, environment files."""

import copy
import functools
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
COMPOSE: Final = DEPLOY / "compose"
STACKS: Final = {
    "base": ("base.yaml",),
    "demo": ("base.yaml", "demo.yaml"),
    "observed": ("base.yaml", "observability.yaml"),
    "observed demo": ("base.yaml", "observability.yaml", "demo.yaml"),
}
_REPLACED: Final = {"command", "entrypoint", "test"}  # lists that are not joined


class _Reset:
    """`!reset`: as if the earlier files had not said it."""


class _Loader(yaml.SafeLoader):
    """With `!reset`."""


_Loader.add_constructor("!reset", lambda _loader, _node: _Reset())


def load(path: Path) -> Any:
    return yaml.load(path.read_text(), _Loader)  # noqa: S506  # a SafeLoader


def compose(stack: str) -> dict[str, Any]:
    """What `docker compose -f … -f …` makes of its files, without interpolation. A fresh copy."""
    return copy.deepcopy(_compose(stack))


@functools.cache
def _compose(stack: str) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in STACKS[stack]:
        merged = _merged("", merged, load(COMPOSE / name))
    return {name: part for name, part in merged.items() if not name.startswith("x-")}


def _merged(name: str, old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        both = {**old, **{key: _merged(key, old.get(key), value) for key, value in new.items()}}
        return {key: value for key, value in both.items() if not isinstance(value, _Reset)}
    if isinstance(old, list) and isinstance(new, list) and name not in _REPLACED:
        if name == "volumes":
            replaced = {mount(volume)[1] for volume in new}
            old = [volume for volume in old if mount(volume)[1] not in replaced]
        return old + [each for each in new if each not in old]
    return new


def mount(volume: str | Mapping[str, Any]) -> tuple[str, str]:
    """(source, target)"""
    if isinstance(volume, str):
        source, target, *_ = volume.split(":")
        return source, target
    return volume["source"], volume["target"]


def ours(services: Mapping[str, Any]) -> dict[str, Any]:
    """Those that run an image of ours."""
    return {name: service for name, service in services.items() if service["image"].startswith("legbook/")}


def dockerfile() -> list[tuple[str, str]]:
    """(instruction, the rest), lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "docker/Dockerfile").read_text(), flags=re.MULTILINE)
    joined = text.replace("\\\n", " ")
    return [(word, rest) for word, rest in (line.split(None, 1) for line in joined.splitlines() if line)]


def image_environment() -> dict[str, str]:
    pairs = (pair.split("=", 1) for word, rest in dockerfile() if word == "ENV" for pair in shlex.split(rest))
    return dict(pairs)


def environment(path: Path) -> Iterator[tuple[str, str]]:
    """Of a file for EnvironmentFile=; what is commented out counts too, if it is an assignment."""
    for line in path.read_text().splitlines():
        if found := re.fullmatch(r"#?([A-Z][A-Z_]*)=(.*)", line):
            yield found[1], found[2]
