import asyncio
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from legbook.cli.fakepbx import fakepbx
from tests.scenarios.fakepbx.client import Client
from tests.unit.fakepbx.samples import SIMPLE

RUN = "import typer; from legbook.cli.fakepbx import fakepbx; typer.run(fakepbx)"


def refused(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(fakepbx)
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_bad_input_is_one_line_and_exit_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"t": 1, "banner": "x"}\nno\n')
    assert refused(str(tmp_path / "none.gz")) == (
        f"fakepbx: {tmp_path / 'none.gz'}: cannot be read: No such file or directory\n"
    )
    assert f"{bad}: line 2: not JSON" in refused(str(bad))
    assert "cannot be read: Is a directory" in refused(str(tmp_path))
    assert "speed fast: a number above 0, or flat" in refused(str(SIMPLE), "--speed", "fast")
    assert "speed 0.0" in refused(str(SIMPLE), "--speed", "0")
    assert "spacing 0.0" in refused(str(SIMPLE), "--spacing", "0")


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "address already in use" in refused(str(SIMPLE), "--port", str(taken.getsockname()[1]))


async def started(*arguments: str) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(SIMPLE), "--port", "0", "--secret", "s3cret", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    match = re.fullmatch(r"fakepbx fake: AMI on 127\.0\.0\.1:(\d+)\n", line)
    assert match is not None, line
    return process, int(match[1])


async def test_it_plays_to_the_end() -> None:
    process, port = await started("--rounds", "3", "--speed", "flat")
    async with Client(port) as client:
        await client.login("call")
        heard = [message.first("Event") for message in await client.rest()]
    assert heard.count("Hangup") == 6
    assert await process.communicate() == (b"", b"")
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_when_told_to(number: signal.Signals) -> None:
    process, port = await started()
    async with Client(port) as client:
        await client.login()
        process.send_signal(number)
        await client.rest()
    assert await process.communicate() == (b"", b"")
    assert process.returncode == 0
