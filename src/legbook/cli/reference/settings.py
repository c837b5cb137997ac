"""docs/reference/settings.md, from the settings classes: variable, default, meaning, bounds."""

from collections.abc import Iterator
from typing import Any, Final, Literal, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from legbook.cli.reference.markdown import HEAD, table
from legbook.cli.reference.services import modules
from legbook.runtime import settings

_SHARED: Final = (
    settings.KafkaSettings,
    settings.MysqlSettings,
    settings.ClickhouseSettings,
    settings.FleetSettings,
)


def page() -> Iterator[str]:
    yield "# Settings\n"
    yield f"From the environment. {HEAD}"
    for kind in _SHARED:
        yield from _class(kind.__name__.removesuffix("Settings"), kind)
    for service, module in modules("settings"):
        yield from _class(service, module.Settings)


def _class(title: str, kind: type[BaseSettings]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{(kind.__doc__ or '').strip()}\n"
    prefix = kind.model_config.get("env_prefix", "")
    yield from table(
        ("variable", "default", "meaning"),
        (
            (f"`{prefix}{name}`".upper(), _default(field), _meaning(field))
            for name, field in kind.model_fields.items()
        ),
    )


def _default(field: FieldInfo) -> str:
    """A default in the code is no secret, also where what replaces it is one."""
    if field.default_factory is not None:
        return f"{field.default_factory.__name__}()"
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    text = "" if value is None else str(value)
    return f"`{text}`" if text else ""


def _meaning(field: FieldInfo) -> str:
    return " ".join([field.description or "", *_choices(field.annotation), *_bounds(field)])


def _choices(kind: Any) -> Iterator[str]:
    if get_origin(kind) is Literal:
        yield f"One of {', '.join(f'`{value}`' for value in get_args(kind))}."


def _bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        match bound:
            case annotated_types.Gt(gt=limit):
                yield f"More than {limit}."
            case annotated_types.Ge(ge=limit):
                yield f"At least {limit}."
            case annotated_types.Le(le=limit):
                yield f"At most {limit}."
            case _:
                pass
