"""Servers, topics, tables and services as child processes; who uses it brings the PBXs."""

import os
import signal
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
from legbook.fakepbx import User

SERVICES: Final = ("ami_ingest", "curcdr_projector", "cdr_archiver", "command_gateway")
USERNAME: Final = "legbook_ingest"
SECRET: Final = "demo"  # noqa: S105  # of PBXs that we play ourselves, on loopback
GATEWAY: Final = User(
    "legbook_gateway",
    "demo-too",
    read=frozenset({"call", "agent"}),
    write=frozenset({"call", "originate"}),
)
INGEST_VARIABLE: Final = "LEGBOOK_DEMO_INGEST"
GATEWAY_VARIABLE: Final = "LEGBOOK_DEMO_GATEWAY"
POLICY: Final = '{ contexts = ["from-internal"], endpoints = ["PJSIP/2*", "SIP/2*"] }'
_SECRETS: Final = {INGEST_VARIABLE: SECRET, GATEWAY_VARIABLE: GATEWAY.secret}


class World:
    """One folder, one set of servers; a context manager. For the main thread (see devstack)."""

    def __init__(self, folder: Path, progress: Callable[[str], None] | None = None) -> None:
        self._progress = progress or (lambda _line: None)
        self.stack = Stack(folder / "stack", progress=progress)
        self.folder = folder
        self._ports: dict[str, int] = {}
        self._services: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self.stack.start()
            self.prepare()
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

    def prepare(self) -> None:
        """Topics and tables."""
        self.legbook("topics", "apply", "--partitions", "4", "--replication", "1")
        self.legbook("migrate")

    @property
    def env(self) -> dict[str, str]:
        """What all services find in their environment."""
        fleet = {"LEGBOOK_FLEET": str(self.folder / "fleet.toml")}
        return {**self.stack.env, **fleet, **_SECRETS, "PYTHONUNBUFFERED": "1"}

    def own(self, worker: str) -> dict[str, str]:
        """What this worker alone finds there: its port, and the name of its slot."""
        service, number = _split(worker)
        if worker not in self._ports:
            self._ports[worker] = free_ports(1)[0]
        prefix = service.upper()
        return {f"{prefix}_HTTP_PORT": str(self._ports[worker]), f"{prefix}_INSTANCE": f"demo-{number}"}

    def fleet(self, ports: Mapping[str, int]) -> None:
        """PBX name -> AMI port on loopback; numbers in order."""
        tables = [
            f'[pbx.{name}]\nnumber = {number}\nhost = "127.0.0.1"\nport = {port}\ntimezone = "UTC"\n'
            f'ingest = {{ username = "{USERNAME}", secret_env = "{INGEST_VARIABLE}" }}\n'
            f'gateway = {{ username = "{GATEWAY.username}", secret_env = "{GATEWAY_VARIABLE}" }}\n'
            f"policy = {POLICY}\n"
            for number, (name, port) in enumerate(ports.items(), 1)
        ]
        (self.folder / "fleet.toml").write_text("\n".join(tables))

    def start(self, *names: str, **more: str) -> None:
        """Starts workers: `ami_ingest` is the first of its service, `ami_ingest.2` the second."""
        for name in names or SERVICES:
            if name in self._services and self._services[name].poll() is None:
                raise StackError(f"{name} runs already")
            env = {**self.env, **self.own(name), **more}
            command = [sys.executable, "-m", _split(name)[0]]
            self._services[name] = spawn(name, command, folder=self.folder, env=env)

    def kill(self, name: str) -> None:
        """SIGKILL."""
        kill(self._services[name])

    def signal(self, name: str, number: signal.Signals) -> None:
        self._services[name].send_signal(number)

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

    def legbook(self, *arguments: str, **more: str) -> str:
        """What the command prints; StackError with what it says if it fails."""
        command: Sequence[str] = [sys.executable, "-m", "legbook.cli", *arguments]
        done = subprocess.run(
            command,
            env={**os.environ, **self.env, **more},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise StackError(f"legbook {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def _split(worker: str) -> tuple[str, str]:
    service, _, number = worker.partition(".")
    return service, number or "1"
