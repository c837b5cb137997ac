"""The Dockerfile against the code and the locks; its health check against a real /readyz. No image is built here."""

import asyncio
import fnmatch
import os
import re
import sys
import tomllib
from typing import Any, Final

import pytest
from packaging.requirements import Requirement

from ami_ingest.settings import Settings
from legbook.devstack.processes import free_ports
from legbook.runtime import http
from tests.deploy import files
from tests.deploy.settings import SERVICES, read

READY: Final = files.DEPLOY / "docker/ready.py"
EXTRAS: Final = {
    "ami_ingest": "ami",
    "curcdr_projector": "projector",
    "cdr_archiver": "archiver",
    "command_gateway": "ami",
}
TEXT: Final = " ".join(rest for _, rest in files.dockerfile())


def named(requirement: str) -> str:
    return Requirement(requirement).name.lower().replace("_", "-")


def locked(name: str) -> set[str]:
    text = (files.ROOT / f"requirements/{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9.-]+)==", text, flags=re.MULTILINE))


def test_every_service_has_a_lock_and_only_services_have() -> None:
    cases = re.findall(r"([\w|]+)\) lock=(\w+) ;;", TEXT)
    assert {service: lock for names, lock in cases for service in names.split("|")} == EXTRAS
    assert set(EXTRAS) == set(SERVICES)


@pytest.mark.parametrize("lock", sorted(set(EXTRAS.values())))
def test_a_lock_holds_what_the_service_and_the_migrations_need(lock: str) -> None:
    project = tomllib.loads((files.ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {named(each) for each in [*project["dependencies"], *extras[lock], *extras["migrate"]]}
    assert wanted <= {name.replace(".", "-") for name in locked(lock)}


def test_the_wheel_is_built_with_what_builds_it_here() -> None:
    project = tomllib.loads((files.ROOT / "pyproject.toml").read_text())
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]
    assert locked("build") <= locked("dev")
    assert "-r build.txt" in TEXT


def test_every_installation_of_packages_is_checked_by_hashes_or_from_what_was_built() -> None:
    for command in re.findall(r"pip (?:--python \S+ )?install [^&]*", TEXT):
        assert "--require-hashes" in command or "--no-index --no-deps /wheel" in command


def test_the_base_is_one_patch_release_of_a_python_that_we_support() -> None:
    (base,) = (rest for word, rest in files.dockerfile() if word == "ARG" and "=" in rest)
    found = re.fullmatch(r"PYTHON=python:(\d+)\.(\d+)\.\d+-slim-\w+", base)
    assert found is not None
    assert (int(found[1]), int(found[2])) >= (3, 11)
    assert {rest.split()[0] for word, rest in files.dockerfile() if word == "FROM"} == {"${PYTHON}"}


def test_nothing_runs_as_root() -> None:
    words = [word for word, _ in files.dockerfile()]
    (user,) = (rest for word, rest in files.dockerfile() if word == "USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert words.index("USER") > max(n for n, word in enumerate(words) if word in {"RUN", "COPY"})


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignore = (files.DEPLOY / "docker/Dockerfile.dockerignore").read_text().splitlines()
    allowed = [line.removeprefix("!") for line in ignore if line.startswith("!")]
    for word, rest in files.dockerfile():
        if word == "COPY" and not rest.startswith("--from="):
            for source in rest.split()[:-1]:
                assert (files.ROOT / source).exists()
                assert any(fnmatch.fnmatch(source, each) or each.startswith(f"{source}/") for each in allowed)


@pytest.mark.parametrize("service", SERVICES)
def test_the_environment_of_the_image_is_read(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = files.image_environment()
    found = read(monkeypatch, service, given)
    assert str(found["LEGBOOK_FLEET"]) == given["LEGBOOK_FLEET"]
    assert found[f"{service.upper()}_HTTP_HOST"] == "0.0.0.0"  # noqa: S104  # in a container
    assert found[f"{service.upper()}_HTTP_PORT"] == int(given[f"{service.upper()}_HTTP_PORT"])


def test_every_service_has_a_port_of_its_own() -> None:
    given = files.image_environment()
    assert len({given[f"{service.upper()}_HTTP_PORT"] for service in SERVICES}) == len(SERVICES)


async def ask(port: int) -> tuple[int | None, str]:
    environment = {**os.environ, "LEGBOOK_SERVICE": "ami_ingest", "AMI_INGEST_HTTP_PORT": str(port)}
    asking = await asyncio.create_subprocess_exec(
        sys.executable, str(READY), env=environment, stdout=-1, stderr=-1
    )
    out, errors = await asking.communicate()
    return asking.returncode, (out + errors).decode()


async def served(trouble: str | None) -> tuple[int | None, str]:
    health = http.Health(ready={"pbxs": lambda: trouble})
    settings: Any = Settings(http_host="127.0.0.1", http_port=0)
    async with http.serve(health, settings) as port:
        return await ask(port)


async def test_ready_is_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert await served(None) == (0, "pbxs: ok\n")


async def test_unready_is_unhealthy_and_says_why() -> None:
    code, text = await served("1 of 2 PBXs connected")
    assert code == 1
    assert "pbxs: 1 of 2 PBXs connected" in text


async def test_nobody_there_is_unhealthy() -> None:
    (port,) = free_ports(1)
    code, text = await ask(port)
    assert code == 1
    assert f"no answer on port {port}" in text
