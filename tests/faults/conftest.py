"""One world for all faults: two workers of each service, two PBXs that live in different partitions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from legbook.contracts.topics import partition_of
from legbook.demo.world import World
from legbook.devstack.processes import free_ports
from tests.e2e.verifier import Verdict
from tests.faults.takeovers import TABLE
from tests.faults.workers import ALL, FAST

PBXS = ("east", "west")
_W = TypeVar("_W", bound=World)


@dataclass(slots=True)
class Tally:
    """What all faults together came to."""

    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)


TALLY = Tally()


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    assert len({partition_of(name, 4) for name in PBXS}) == len(PBXS)
    return dict(zip(PBXS, free_ports(len(PBXS)), strict=True))


@contextmanager
def manned(world: _W, ports: Mapping[str, int]) -> Iterator[_W]:
    """Its servers, and two workers of each service."""
    with world:
        world.fleet(ports)
        world.start(*ALL, **FAST)
        yield world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[World]:
    with manned(World(tmp_path_factory.mktemp("world")), ports) as world:
        yield world


@pytest.fixture
def judge(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> "Judge":
    return Judge(request.node.name, capsys)


class Judge:
    """Prints the line, counts it, asserts it."""

    def __init__(self, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._fault, self._capsys = fault, capsys

    def __call__(self, verdict: Verdict) -> None:
        TALLY.verdicts.append((self._fault, verdict))
        with self._capsys.disabled():
            print(f"\n{self._fault}: {verdict} compared={verdict.compared}")  # noqa: T201
        assert verdict.clean, str(verdict)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not TALLY.verdicts:
        return
    for line in TABLE.lines():
        terminalreporter.write_line(line)
    total = sum((verdict for _, verdict in TALLY.verdicts), Verdict())
    clean = sum(verdict.clean for _, verdict in TALLY.verdicts)
    terminalreporter.write_line(
        f"faults: {clean} of {len(TALLY.verdicts)} clean, {total.compared} finished legs compared; all: {total}"
    )
