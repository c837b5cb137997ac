import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from ami_ingest.settings import Settings
from legbook.runtime.settings import (
    ClickhouseSettings,
    FleetSettings,
    KafkaSettings,
    MysqlSettings,
    load,
)
from legbook.runtime.stop import CannotStartError


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "MYSQL_", "CLICKHOUSE_", "LEGBOOK_", "AMI_INGEST_")):
            monkeypatch.delenv(name)


def refused(kind: type[BaseSettings]) -> str:
    with pytest.raises(CannotStartError) as caught:
        load(kind)
    return str(caught.value)


def test_what_holds_without_an_environment() -> None:
    assert load(KafkaSettings).bootstrap_servers == "127.0.0.1:9092"
    assert load(FleetSettings).fleet == Path("fleet.toml")
    settings = load(Settings)
    assert (settings.http_host, settings.http_port, settings.log_level) == ("127.0.0.1", 0, "info")
    assert settings.buffer_bytes == 64 << 20
    mysql = load(MysqlSettings).parsed()
    assert (mysql.host, mysql.port, mysql.database, mysql.user) == ("127.0.0.1", 3306, "legbook", "legbook")
    archive = load(ClickhouseSettings).parsed()
    assert (archive.host, archive.port, archive.database, archive.user) == (
        "127.0.0.1",
        8123,
        "legbook",
        "default",
    )


@pytest.mark.parametrize(
    ("kind", "variable", "value"),
    [
        (KafkaSettings, "KAFKA_SECURITY_PROTOCOL", "TLS"),
        (KafkaSettings, "KAFKA_SASL_MECHANISM", "GSSAPI"),
        (Settings, "AMI_INGEST_HTTP_PORT", "65536"),
        (Settings, "AMI_INGEST_HTTP_PORT", "-1"),
        (Settings, "AMI_INGEST_HTTP_PORT", "http"),
        (Settings, "AMI_INGEST_LOG_LEVEL", "loud"),
        (Settings, "AMI_INGEST_BUFFER_BYTES", "1000"),
        (Settings, "AMI_INGEST_BUFFER_BYTES", "64MB"),
        (Settings, "AMI_INGEST_PING_INTERVAL", "0"),
        (Settings, "AMI_INGEST_PING_INTERVAL", "nan"),
        (Settings, "AMI_INGEST_SILENCE", "-5"),
        (Settings, "AMI_INGEST_BACKOFF_FIRST", ""),
        (Settings, "AMI_INGEST_BACKOFF_MOST", "soon"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, kind: type[BaseSettings], variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert refused(kind).startswith(f"{variable}: ")


def test_several_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMI_INGEST_SILENCE", "x")
    monkeypatch.setenv("AMI_INGEST_HTTP_PORT", "y")
    told = refused(Settings)
    assert "AMI_INGEST_SILENCE: " in told
    assert "; " in told
    assert "AMI_INGEST_HTTP_PORT: " in told


def test_variables_of_others_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMI_INGEST_NO_SUCH_THING", "1")
    monkeypatch.setenv("HTTP_PORT", "nonsense")
    load(Settings)


def test_what_stands_in_the_environment_is_not_told_when_it_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a secret in the wrong variable."""
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "hunter2")
    assert "hunter2" not in refused(KafkaSettings)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_passwords_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    path = tmp_path / "password"
    path.write_bytes(b"hunter2" + end.encode())
    for variable in ("KAFKA_SASL_PASSWORD_FILE", "MYSQL_PASSWORD_FILE", "CLICKHOUSE_PASSWORD_FILE"):
        monkeypatch.setenv(variable, str(path))
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "other")
    assert load(KafkaSettings).password == "hunter2"
    assert load(MysqlSettings).parsed().password == "hunter2"
    assert load(ClickhouseSettings).parsed().password == "hunter2"


@pytest.mark.parametrize("content", [None, b"\xffhunter2\xfe"])
def test_a_password_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    for variable in ("KAFKA_SASL_PASSWORD_FILE", "MYSQL_PASSWORD_FILE", "CLICKHOUSE_PASSWORD_FILE"):
        monkeypatch.setenv(variable, str(path))
    for variable, ask in (
        ("KAFKA_SASL_PASSWORD_FILE", lambda: load(KafkaSettings).password),
        ("MYSQL_PASSWORD_FILE", lambda: load(MysqlSettings).parsed()),
        ("CLICKHOUSE_PASSWORD_FILE", lambda: load(ClickhouseSettings).parsed()),
    ):
        with pytest.raises(CannotStartError, match=f"^{variable}: .*{path}$") as caught:
            ask()
        assert "hunter2" not in str(caught.value)


def test_a_url_with_everything() -> None:
    settings = MysqlSettings(url=SecretStr("mysql://us%40er:p%2Fw%3A%25@[::1]:3307/calls"))
    parsed = settings.parsed()
    assert (parsed.host, parsed.port, parsed.database) == ("::1", 3307, "calls")
    assert (parsed.user, parsed.password) == ("us@er", "p/w:%")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "mysql:hunter2",
        "mysql://",
        "mysql:///db",
        "mysql://u:hunter2@/db",
        "mysql://u:hunter2@host",
        "mysql://u:hunter2@host/",
        "http://u:hunter2@host/db",
        "mariadb://u:hunter2@host/db",
        "mysql://u:hunter2@host:port/db",
        "mysql://u:hunter2@host:70000/db",
        "mysql://u:hunter2@host:-1/db",
        "mysql://u:hunter2/x@host/db",
        "mysql://u:hunter2?x@host/db",
        "mysql://u:hunter2#x@host/db",
        "mysql://u:hunter2@[::1/db",
        "mysql://u:hunter2@[hunter2]/db",
    ],
)
def test_a_wrong_url_is_told_without_what_stands_in_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("MYSQL_URL", url)
    with pytest.raises(CannotStartError) as caught:
        load(MysqlSettings).parsed()
    assert str(caught.value) == "MYSQL_URL: wanted mysql://user:password@host:3306/database"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(st.text("mysql:/@[]?#%0189hu. \n", max_size=30))
def test_any_url_is_taken_or_told(text: str) -> None:
    for url in (text, f"mysql://{text}", f"mysql://u:hunter2@{text}"):
        try:
            parsed = MysqlSettings(url=SecretStr(url)).parsed()
        except CannotStartError:
            continue
        assert parsed.host
        assert 0 < parsed.port < 65536
        assert parsed.database


def test_no_secret_is_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("MYSQL_URL", "mysql://u:hunter2@h/db")
    monkeypatch.setenv("CLICKHOUSE_URL", "http://u:hunter2@h/db")
    settings: list[BaseSettings] = [load(KafkaSettings), load(MysqlSettings), load(ClickhouseSettings)]
    for each in settings:
        assert "hunter2" not in f"{each!r} {each} {each.model_dump()} {each.model_dump_json()}"
    for parsed in (load(MysqlSettings).parsed(), load(ClickhouseSettings).parsed()):
        assert parsed.password == "hunter2"
        assert "hunter2" not in f"{parsed!r} {parsed}"
