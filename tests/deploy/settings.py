"""Which variables a service reads, from its classes, and what it makes of given ones."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

import pytest
from pydantic_settings import BaseSettings

from legbook.cli.reference.services import SERVICES
from legbook.runtime.settings import ClickhouseSettings, FleetSettings, KafkaSettings, MysqlSettings, load

__all__ = ["SERVICES", "read", "variables"]
_SHARED: Final = (KafkaSettings, MysqlSettings, ClickhouseSettings, FleetSettings)


def kinds(service: str | None) -> Iterator[type[BaseSettings]]:
    yield from _SHARED
    if service is not None:
        yield import_module(f"{service}.settings").Settings


def variables(service: str | None) -> set[str]:
    """Of a service; None: what all share."""
    return {
        f"{kind.model_config['env_prefix']}{name}".upper()
        for kind in kinds(service)
        for name in kind.model_fields
    }


def read(
    monkeypatch: pytest.MonkeyPatch, service: str | None, environment: Mapping[str, str]
) -> dict[str, object]:
    """Variable -> what the service reads; CannotStartError if it refuses one."""
    for name in variables(service):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return {
        f"{kind.model_config['env_prefix']}{name}".upper(): value
        for kind in kinds(service)
        for name, value in load(kind)
    }
