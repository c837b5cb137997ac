"""`python -m legbook.devstack`: it says where the servers are, leaves no orphans, and its data stays."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.integration.devstack.clients import mysql


@contextmanager
def running(folder: Path, only: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """The command, and what it has said until it was ready."""
    argv = [sys.executable, "-m", "legbook.devstack", "--folder", str(folder), "--only", only]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said: list[str] = []
        try:
            while "env.sh" not in "".join(said):
                said.append(process.stdout.readline())
                assert said[-1], f"it ended, having said {said}"
            yield process, said
        finally:
            process.kill()


def gone(children: list[psutil.Process], patience: float) -> bool:
    """A child that nobody waited for is a zombie where process 1 does not reap."""
    deadline = time.monotonic() + patience
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def addresses(folder: Path) -> dict[str, str]:
    lines = (folder / "env.sh").read_text().splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, how: signal.Signals) -> None:
    with running(tmp_path, "clickhouse") as (process, said):
        children = psutil.Process(process.pid).children()
        assert len(children) == 1
        assert said[0].startswith("ClickHouse: ready after ")
        process.send_signal(how)
        assert process.wait(30) == 0
        assert gone(children, 0)


def test_kill_9_leaves_no_orphans_and_the_next_stack_starts_at_once_on_the_same_data(tmp_path: Path) -> None:
    every = "kafka,mysql,clickhouse"
    with running(tmp_path, every) as (process, _):
        first = psutil.Process(process.pid).children()
        assert len(first) == 3
        with mysql(addresses(tmp_path)["MYSQL_URL"]) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept (a INT) ENGINE=InnoDB")
        before = addresses(tmp_path)
        process.kill()
        process.wait(30)
        with running(tmp_path, every) as (second, _):
            assert gone(first, 0)  # it has waited for them: the data was theirs
            assert addresses(tmp_path) == before
            with mysql(before["MYSQL_URL"]) as connection, connection.cursor() as cursor:
                assert cursor.execute("SELECT * FROM kept") == 0
            children = psutil.Process(second.pid).children()
            second.kill()
            second.wait(30)
            assert gone(children, 10)


def test_it_ends_when_a_server_does(tmp_path: Path) -> None:
    with running(tmp_path, "clickhouse") as (process, _):
        (child,) = psutil.Process(process.pid).children()
        os.kill(child.pid, signal.SIGKILL)
        assert process.wait(30) == 1


def test_an_error_is_one_line(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "legbook.devstack", "--folder", str(tmp_path), "--only", "redis"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "devstack: there is no server redis: only kafka, mysql, clickhouse\n"
