"""Fetching: what is missing on the machine is named, what was fetched is used, a failed fetch leaves nothing."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from legbook.devstack import Stack, StackError
from legbook.devstack.fetch import cache, fetched

Maven = Callable[[str], Path]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing in it, and an empty cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("LEGBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MYSQLD", "maven")
    monkeypatch.delenv("LEGBOOK_MVN_OPTS", raising=False)
    return folder


def install(folder: Path, name: str, script: str = "exit 0") -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    file.chmod(0o755)


def get(lines: list[str]) -> Path:
    return fetched("kafka", title="Kafka", what="jars", progress=lines.append)


def test_missing_java_is_named(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(StackError) as caught:
        Stack(tmp_path / "stack", only=["kafka"]).start()
    assert str(caught.value) == (
        "Kafka needs java, which is not installed: sudo apt-get install default-jre-headless"
    )


@pytest.mark.parametrize(("name", "title"), [("kafka", "Kafka"), ("mysql", "MariaDB")])
def test_missing_maven_is_named(programs: Path, tmp_path: Path, name: str, title: str) -> None:
    install(programs, "java")
    with pytest.raises(StackError) as caught:
        Stack(tmp_path / "stack", only=[name]).start()
    assert str(caught.value) == f"{title} needs mvn, which is not installed: sudo apt-get install maven"


def test_maven_is_asked_once_and_gets_our_options(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    install(
        programs,
        "mvn",
        f'echo "$@" >> {shlex.quote(str(calls))}\n'
        'for word; do case $word in -Dout=*) out=${word#-Dout=};; esac; done\nmkdir -p "$out/bin"\n'
        'touch "$out/bin/x"',
    )
    monkeypatch.setenv("LEGBOOK_MVN_OPTS", "-o '-Dx=a b'")
    lines: list[str] = []
    folder = get(lines)
    assert (folder / "bin/x").stat().st_mode & 0o111
    assert folder.parent == cache()
    assert lines == ["Kafka: fetching jars with Maven", "Kafka: fetched in 0 s"]
    assert get(lines) == folder
    assert len(lines) == 2
    (call,) = calls.read_text().splitlines()
    assert call.endswith("-P kafka -o -Dx=a b generate-resources")


def test_a_failed_fetch_shows_what_maven_said_and_leaves_nothing(programs: Path) -> None:
    install(programs, "mvn", "echo no network; exit 1")
    with pytest.raises(StackError, match=r"(?s)Maven could not fetch kafka.*no network"):
        get([])
    assert [file.name for file in cache().iterdir()] == ["lock"]


def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEGBOOK_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache() == Path("/somewhere/legbook")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache() == Path("~/.cache/legbook").expanduser()
