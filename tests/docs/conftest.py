"""One world for the examples of the documentation: all servers and services, and a PBX on which calls never end.

It goes when the last test of this folder has run: nobody plays the PBX while tests of other folders run.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from legbook.demo import pbxs
from legbook.demo.playing import playing
from legbook.demo.watch import Watch
from legbook.demo.world import GATEWAY, SECRET, USERNAME, World
from legbook.fakepbx import FakePbx
from tests.docs.pages import SNIPPETS
from tests.recorded import FIXTURES, RING_GROUP

PBX, QUIET = "hq", "quiet"
ORIGINATED = FIXTURES / "recordings/22.10.1-pjsip/15a-originate-success.jsonl.gz"


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def calls(world: World) -> AsyncIterator[Watch]:
    """A call from 2002 to the ring group 1000 every second; 202 takes it after two seconds, and talks for four.

    On the other PBX nobody calls after the first one, until an Originate rings its 201.
    """
    pbx = pbxs.ring_groups(PBX, 10_000, spacing=1.0)
    other = FakePbx(
        QUIET, [RING_GROUP], username=USERNAME, secret=SECRET, others=[GATEWAY], clicks=[ORIGINATED]
    )
    async with playing(world, [pbx, other]) as watch:
        pbx.begin()
        other.begin()
        yield watch


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples with their packages beside them."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    shutil.copytree(SNIPPETS, folder, dirs_exist_ok=True)
    options = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    done = subprocess.run(
        ["npm", "install", *options], cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )
    if done.returncode:
        pytest.skip(f"npm install: {done.stderr.strip()[-500:]}")
    return folder


class Example:
    """A running example, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def says(self, pattern: str, patience: float = 30.0) -> re.Match[str]:
        """The first line from here on that matches; fails with what it said instead."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(patience):
                while line := (await self.process.stdout.readline()).decode():
                    self.lines.append(line.rstrip("\n"))
                    if found := re.search(pattern, self.lines[-1]):
                        return found
        except TimeoutError:
            pytest.fail(f"waited {patience} s for {pattern}, it said {self.lines[-20:]}")
        return pytest.fail(f"it ended with {await self.process.wait()}, it said {self.lines[-20:]}")

    async def ends(self, patience: float = 30.0) -> tuple[int, str]:
        """Exit code, and all that it said."""
        async with asyncio.timeout(patience):
            out, _ = await self.process.communicate()
        return self.process.returncode or 0, out.decode()


@asynccontextmanager
async def example(
    world: World, name: str, *arguments: str, folder: Path = SNIPPETS, **env: str
) -> AsyncIterator[Example]:
    """It is killed at the end, if it has not ended by then."""
    program = "node" if name.endswith(".mjs") else sys.executable
    process = await asyncio.create_subprocess_exec(
        program,
        name,
        *arguments,
        cwd=folder,
        env={**os.environ, **world.env, **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Example(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
