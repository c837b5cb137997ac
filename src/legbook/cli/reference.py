"""`legbook reference`: docs/reference/, written from the classes and values that its pages are about."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import annotated_types
import typer
from prometheus_client import Counter, Info
from prometheus_client.metrics import MetricWrapperBase
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from legbook.contracts.generate import differing, write
from legbook.contracts.schemas import schema
from legbook.runtime import metrics, settings

SERVICES: Final = ("ami_ingest", "curcdr_projector", "cdr_archiver", "command_gateway")
SHARED: Final = (
    settings.KafkaSettings,
    settings.MysqlSettings,
    settings.ClickhouseSettings,
    settings.FleetSettings,
)
_HEAD: Final = "Written by `make contracts` from the code; not edited by hand.\n"

# Where the class does not say it itself.
_TYPES: Final = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}


def reference(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path("docs/reference"),
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; name what differs, exit 1.")] = False,
) -> None:
    """Write the pages about settings, metrics and legs from the code."""
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
    found = {"settings.md": _settings(), "metrics.md": _metrics(), "legs.md": _legs()}
    return {name: "\n".join(lines) for name, lines in found.items()}


def _modules(name: str) -> Iterator[tuple[str, ModuleType]]:
    """(service, its module of this name), of the services that are installed."""
    for service in SERVICES:
        if find_spec(service):
            yield service, import_module(f"{service}.{name}")


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    names = head.split()
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield f"From the environment. {_HEAD}"
    for kind in SHARED:
        yield from _class(kind.__name__.removesuffix("Settings"), kind)
    for service, module in _modules("settings"):
        yield from _class(service, module.Settings)


def _class(title: str, kind: type[BaseSettings]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{(kind.__doc__ or '').strip()}\n"
    prefix = kind.model_config.get("env_prefix", "")
    yield from _table(
        "variable default meaning",
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


def _metrics() -> Iterator[str]:
    yield "# Metrics\n"
    yield f"On `/metrics` of each process. A histogram has `_bucket`, `_sum` and `_count`. {_HEAD}"
    for title, module in (("Every service", metrics), *_modules("metrics")):
        yield f"## {title}\n"
        found = [each for each in vars(module).values() if isinstance(each, MetricWrapperBase)]
        yield from _table("name type labels help", map(_metric, found))


def _metric(metric: MetricWrapperBase) -> tuple[str, ...]:
    (about,) = metric.describe()
    suffix = "_total" if isinstance(metric, Counter) else "_info" if isinstance(metric, Info) else ""
    labels = " ".join(f"`{name}`" for name in metric._labelnames)  # noqa: SLF001  # nothing public says it
    return f"`{about.name}{suffix}`", about.type, labels, about.documentation


def _legs() -> Iterator[str]:
    leg = schema("Leg")
    yield "# A leg\n"
    yield (
        "A record of `pbx.calls.legs.v1` (live) and `pbx.calls.cdr.v1` (finished). Times are UTC with microseconds, "
        f"null if unknown. How to read the topics: `contracts/README.md`. {_HEAD}"
    )
    for about in (leg, *leg["$defs"].values()):
        yield f"## {about['title']}\n"
        yield f"{about['description']}\n"
        yield from _table(
            "field type meaning",
            (
                (f"`{name}`", _type(each), each.get("description", ""))
                for name, each in about["properties"].items()
            ),
        )


def _type(about: dict[str, Any]) -> str:
    """A JSON Schema in a few words."""
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in about:
        return " or ".join(map(_type, about["anyOf"]))
    if "const" in about:
        return f"`{about['const']}`"
    if "enum" in about:
        return ", ".join("null" if value is None else f"`{value}`" for value in about["enum"])
    if about["type"] == "array":
        return f"list of {_type(about['items'])}"
    kinds = about["type"] if isinstance(about["type"], list) else [about["type"]]
    return " or ".join("time" if kind == "string" and "format" in about else _TYPES[kind] for kind in kinds)
