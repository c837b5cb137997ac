"""Settings from the environment, shared by all services; each service adds its own under its prefix.

Secrets come from the environment or from files named there, and are never printed.
"""

from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from legbook.runtime.stop import CannotStartError

_S = TypeVar("_S", bound=BaseSettings)
_CONFIG = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class KafkaSettings(BaseSettings):
    """Where Kafka is and how to log in."""

    model_config = SettingsConfigDict(**_CONFIG, env_prefix="KAFKA_")

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Comma-separated host:port.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to the brokers."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How to log in, with a SASL_ protocol."
    )
    sasl_username: str = Field("", description="Who logs in.")
    sasl_password: SecretStr = Field(SecretStr(""), description="With which password.")
    sasl_password_file: Path | None = Field(None, description="File with the password, instead.")
    ssl_cafile: Path | None = Field(None, description="CA certificates; the system's if unset.")

    @property
    def password(self) -> str:
        return _secret(self.sasl_password, self.sasl_password_file, "KAFKA_SASL_PASSWORD_FILE")


class _DatabaseUrl:
    """A parsed scheme://user:password@host:port/database."""

    def __init__(self, variable: str, url: str, scheme: str, port: int) -> None:
        wanted = CannotStartError(f"{variable}: wanted {scheme}://user:password@host:{port}/database")
        try:
            parts = urlsplit(url)
            self.port = parts.port or port
        except ValueError:  # its text shows a part of the URL, maybe of the password
            raise wanted from None
        if parts.scheme != scheme or not parts.hostname or not parts.path.strip("/"):
            raise wanted
        self.host = parts.hostname
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.database = parts.path.strip("/")


class MysqlSettings(BaseSettings):
    """Where the live table is."""

    model_config = SettingsConfigDict(**_CONFIG, env_prefix="MYSQL_")

    url: SecretStr = Field(
        SecretStr("mysql://legbook:legbook@127.0.0.1:3306/legbook"),
        description="`mysql://user:password@host:port/database`.",
    )
    password_file: Path | None = Field(None, description="File with the password, instead of one in the URL.")

    def parsed(self) -> _DatabaseUrl:
        parsed = _DatabaseUrl("MYSQL_URL", self.url.get_secret_value(), "mysql", 3306)
        parsed.password = _secret(SecretStr(parsed.password), self.password_file, "MYSQL_PASSWORD_FILE")
        return parsed


class ClickhouseSettings(BaseSettings):
    """Where the archive is."""

    model_config = SettingsConfigDict(**_CONFIG, env_prefix="CLICKHOUSE_")

    url: SecretStr = Field(
        SecretStr("http://default:@127.0.0.1:8123/legbook"),
        description="`http://user:password@host:port/database`.",
    )
    password_file: Path | None = Field(None, description="File with the password, instead of one in the URL.")

    def parsed(self) -> _DatabaseUrl:
        parsed = _DatabaseUrl("CLICKHOUSE_URL", self.url.get_secret_value(), "http", 8123)
        parsed.password = _secret(SecretStr(parsed.password), self.password_file, "CLICKHOUSE_PASSWORD_FILE")
        return parsed


class FleetSettings(BaseSettings):
    """Where the fleet file is."""

    model_config = SettingsConfigDict(**_CONFIG, env_prefix="LEGBOOK_")

    fleet: Path = Field(Path("fleet.toml"), description="The file that names the PBXs.")


class ServiceSettings(BaseSettings):
    """What every service has; a service inherits it and sets its prefix."""

    model_config = _CONFIG

    http_host: Annotated[str, AfterValidator(str.strip)] = Field(
        "127.0.0.1",
        description="Where /livez, /readyz and /metrics are served. Loopback unless you say otherwise.",
    )
    http_port: int = Field(0, ge=0, le=65535, description="0: any free port, told in the log.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is worth a line."
    )


class AmiSettings(ServiceSettings):
    """What every service has that talks to PBXs."""

    ping_interval: float = Field(5.0, gt=0, description="Between two pings.")
    silence: float = Field(15.0, gt=0, description="A link without a byte for this long is cut.")
    backoff_first: float = Field(
        0.5, gt=0, description="First wait after a failed connection; doubles, with jitter."
    )
    backoff_most: float = Field(30.0, gt=0, description="Longest wait between two connections.")


def load(kind: type[_S]) -> _S:
    """The settings, or CannotStartError naming each variable that is wrong and why."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        wrong = [f"{prefix}{'__'.join(map(str, e['loc']))}".upper() + f": {e['msg']}" for e in error.errors()]
        raise CannotStartError("; ".join(wrong)) from None


def _secret(value: SecretStr, file: Path | None, variable: str) -> str:
    if file is None:
        return value.get_secret_value()
    try:
        return file.read_text().strip()
    except OSError as error:
        raise CannotStartError(f"{variable}: {error.strerror}: {file}") from None
    except UnicodeDecodeError:
        raise CannotStartError(f"{variable}: not UTF-8: {file}") from None
