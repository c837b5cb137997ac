"""Servers, topics, tables and services as child processes; who uses it brings the PBXs."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.error import HTTPError, URLError

from legbook.devstack import Stack, StackError
from legbook.devstack.processes import end, free_ports, kill, spawn

SERVICES: Final = ("ami_ingest", "curcdr_projector", "cdr_archiver")
USERNAME: Final = "legbook_ingest"
SECRET: Final = "demo"  # noqa: S105  # of PBXs that we play ourselves, on loopback
SECRET_VARIABLE: Final = "LEGBOOK_DEMO_SECRET"  # noqa: S105


class World:
    """One folder, one set of servers; a context manager. For the main thread (see devstack)."""

    def __init__(self, folder: Path, progress: Callable[[str], None] | None = None) -> None:
        self._progress = progress or (lambda _line: None)
        self.stack = Stack(folder / "stack", progress=progress)
        self.folder = folder
        self._ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self._services: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self.stack.start()
            self._legbook("topics", "apply", "--partitions", "4", "--replication", "1")
            self._legbook("migrate")
        except BaseException:
            self.stack.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        end(list(self._services.values()))
        self._services.clear()
        self.stack.stop()

    @property
    def env(self) -> dict[str, str]:
        """What the services find in their environment."""
        ports = {f"{name.upper()}_HTTP_PORT": str(port) for name, port in self._ports.items()}
        return {
            **self.stack.env,
            **ports,
            "LEGBOOK_FLEET": str(self.folder / "fleet.toml"),
            SECRET_VARIABLE: SECRET,
            "CURCDR_PROJECTOR_INSTANCE": "demo-1",
            "CDR_ARCHIVER_INSTANCE": "demo-1",
            "PYTHONUNBUFFERED": "1",
        }

    def fleet(self, ports: Mapping[str, int]) -> None:
        """PBX name -> AMI port on loopback; numbers in order."""
        tables = [
            f'[pbx.{name}]\nnumber = {number}\nhost = "127.0.0.1"\nport = {port}\ntimezone = "UTC"\n'
            f'ingest = {{ username = "{USERNAME}", secret_env = "{SECRET_VARIABLE}" }}\n'
            for number, (name, port) in enumerate(ports.items(), 1)
        ]
        (self.folder / "fleet.toml").write_text("\n".join(tables))

    def start(self, *names: str, **more: str) -> None:
        """Starts services; `more` goes to their environment."""
        for name in names or SERVICES:
            if name in self._services and self._services[name].poll() is None:
                raise StackError(f"{name} runs already")
            self._services[name] = spawn(
                name, [sys.executable, "-m", name], folder=self.folder, env={**self.env, **more}
            )

    def kill(self, name: str) -> None:
        """SIGKILL."""
        kill(self._services[name])

    def terminate(self, name: str) -> int:
        """SIGTERM; the exit code."""
        end([self._services[name]])
        return self._services[name].returncode

    def exit_code(self, name: str) -> int | None:
        return self._services[name].poll()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def ready(self, name: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[name]}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (HTTPError, URLError, ConnectionError, TimeoutError):
            return False

    def metrics(self, name: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[name]}/metrics", timeout=2) as answer:
            text: str = answer.read().decode()
            return text

    def wait_ready(self, *names: str, patience: float = 60.0) -> None:
        """StackError with the end of the log of the one that is not, or has ended."""
        deadline = time.monotonic() + patience
        for name in names or SERVICES:
            while not self.ready(name):
                if self.exit_code(name) is not None or time.monotonic() > deadline:
                    raise StackError(f"{name} is not ready:\n{self.log(name)[-3000:]}")
                time.sleep(0.05)
            self._progress(f"{name}: ready")

    def _legbook(self, *arguments: str) -> None:
        command: Sequence[str] = [sys.executable, "-m", "legbook.cli", *arguments]
        done = subprocess.run(
            command,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise StackError(f"legbook {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
