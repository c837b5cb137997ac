"""The fleet file: which PBXs there are and how to reach them. Its errors name the PBX and the key."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from legbook.ami.encode import BadActionError, login
from legbook.runtime.stop import CannotStartError


class FleetError(CannotStartError):
    """The fleet file is not usable: which PBX, which key, why."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone is called {name!r}") from None
    return name


class AmiUser(_Strict):
    """An AMI login. The secret is in a file or in the environment, never in the fleet file."""

    username: str = Field(min_length=1)
    secret_file: str | None = None
    secret_env: str | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> "AmiUser":
        if (self.secret_file is None) == (self.secret_env is None):
            raise ValueError("give either secret_file or secret_env")
        return self

    def secret(self) -> str:
        """FleetError if it is not there or could not be sent."""
        if self.secret_env is not None:
            found = os.environ.get(self.secret_env)
            if not found:
                raise FleetError(f"secret_env: {self.secret_env} is not set")
            return found
        try:
            found = Path(self.secret_file or "").read_text().rstrip("\r\n")
        except OSError as error:
            raise FleetError(f"secret_file: {error.strerror}: {self.secret_file}") from None
        except UnicodeDecodeError:
            raise FleetError(f"secret_file: not UTF-8: {self.secret_file}") from None
        if not found:
            raise FleetError(f"secret_file: empty: {self.secret_file}")
        return found


class Policy(_Strict):
    """What `originate` may reach on this PBX: nothing, unless it says so."""

    contexts: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,79}\z")]] = Field(
        [], description="Contexts of the dialplan that may be dialled in."
    )
    endpoints: list[
        Annotated[str, Field(pattern=r"^(?:PJSIP|SIP)/[A-Za-z0-9_.*-]+(?:@[A-Za-z0-9_*-]+)?\z")]
    ] = Field(
        [],
        description="Phones that may be rung: `PJSIP/201`; in `PJSIP/2*` the * stands for letters and digits.",
    )


class Pbx(_Strict):
    """One PBX of the fleet; its name is the key of its table in the file."""

    number: int = Field(ge=0, le=4095, description="Unique, never reused: part of every leg_id.")
    host: str = Field(min_length=1)
    port: int = Field(5038, ge=1, le=65535)
    tls: bool = False
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    inbound_contexts: list[str] = ["from-trunk", "from-did", "from-pstn"]
    ingest: AmiUser | None = None
    gateway: AmiUser | None = None
    policy: Policy = Policy()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Fleet(_Strict):
    """All PBXs by name."""

    pbx: dict[Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,31}$")], Pbx] = Field(min_length=1)

    @model_validator(mode="after")
    def _numbers_differ(self) -> "Fleet":
        seen: dict[int, str] = {}
        for name, pbx in self.pbx.items():
            if (other := seen.setdefault(pbx.number, name)) != name:
                raise ValueError(f"pbx.{name}.number: {pbx.number} is also the number of pbx.{other}")
        return self


def load(path: Path) -> Mapping[str, Pbx]:
    """The PBXs of the file. FleetError names the PBX and the key."""
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise FleetError(f"fleet file {path}: {error.strerror}; LEGBOOK_FLEET says where it is") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FleetError(f"fleet file {path}: {error}") from None
    try:
        return Fleet.model_validate(content).pbx
    except ValidationError as error:
        raise FleetError(f"fleet file {path}: " + "; ".join(map(_told, error.errors()))) from None


def _told(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"] if part != "[key]")
    text = error["msg"].removeprefix("Value error, ")
    return f"{place}: {text}" if place else text


def ingest_login(name: str, pbx: Pbx) -> tuple[str, str]:
    return _login(name, "ingest", pbx.ingest)


def gateway_login(name: str, pbx: Pbx) -> tuple[str, str]:
    return _login(name, "gateway", pbx.gateway)


def _login(name: str, part: str, user: AmiUser | None) -> tuple[str, str]:
    """(username, secret) that can be sent; FleetError names what is wrong."""
    if user is None:
        raise FleetError(f"pbx.{name}.{part}: missing; give username and secret_file or secret_env")
    try:
        secret = user.secret()
        login(user.username, secret, "check")
    except (FleetError, BadActionError) as error:
        raise FleetError(f"pbx.{name}.{part}.{error}") from None
    return user.username, secret
