"""The stack: which servers it has, their addresses, and their start and end, together or one by one."""

import os
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from legbook.devstack import processes
from legbook.devstack.clickhouse import ClickHouse
from legbook.devstack.folder import Hold, choose_ports, take, write_env
from legbook.devstack.kafka import Kafka
from legbook.devstack.launch import Launch, wait_until_ready
from legbook.devstack.mariadb import MariaDB
from legbook.devstack.server import Command, Home, Server, StackError

NAMES = ("kafka", "mysql", "clickhouse")
PATIENCE = 120  # seconds until all are ready


def servers(only: Collection[str] = NAMES) -> dict[str, Server]:
    if unknown := set(only) - set(NAMES):
        raise StackError(f"there is no server {', '.join(sorted(unknown))}: only {', '.join(NAMES)}")
    every: tuple[Server, ...] = (Kafka(), MariaDB(), ClickHouse())
    return {server.name: server for server in every if server.name in only}


class Stack:
    """Kafka, MariaDB and ClickHouse with their data in `folder`, used by one process at a time.

    A server whose variable is in our environment is used as it is, and not started. For the main thread.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        only: Collection[str] = NAMES,
        ports: Mapping[str, int] | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.env: dict[str, str] = {}  # variable -> address, of all servers
        self.seconds: dict[str, float] = {}  # name -> from its last start to ready
        self._servers = servers(only)
        self._wanted = dict(ports or {})
        self._progress = progress or (lambda _line: None)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._home = Home(self.folder, {})
        self._external: set[str] = set()
        self._hold: Hold | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when all servers are ready; when one cannot be, all are stopped."""
        if self._hold is not None:
            raise StackError(f"the stack in {self.folder} has been started")
        self._hold = take(self.folder)
        try:
            names = [port for server in self._servers.values() for port in server.ports]
            self._home = Home(self.folder, choose_ports(self.folder, names, self._wanted))
            self._address()
            self._launch([*self._servers])
            write_env(self.folder, self.env)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Asks all to end at once: the slowest one is all we wait for. Stopping twice does nothing."""
        self._end([*self._children])
        self._children.clear()
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    def start_server(self, name: str) -> None:
        """Starts one that has ended, on the same port and with the same data, and waits until it is ready."""
        if self._own(name).poll() is None:
            raise StackError(f"{name} runs")
        self._launch([name])

    def kill(self, name: str) -> None:
        """SIGKILL: what the server had not written is lost. It is gone when this returns."""
        processes.kill(self._own(name))

    def terminate(self, name: str) -> None:
        self._own(name)
        self._end([name])

    def pids(self) -> dict[str, int]:
        """Name -> process, of our servers that run."""
        return {name: child.pid for name, child in self._children.items() if child.poll() is None}

    def ended(self) -> dict[str, int]:
        """Name -> exit code (-9: SIGKILL), of our servers that do not run any more."""
        codes = {name: child.poll() for name, child in self._children.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def _own(self, name: str) -> subprocess.Popen[bytes]:
        if name not in self._children:
            raise StackError(f"{name} is not a server that this stack has started")
        return self._children[name]

    def _address(self) -> None:
        for name, server in self._servers.items():
            given = os.environ.get(server.variable)
            if given:
                self._external.add(name)
            self.env[server.variable] = given or server.url(self._home.ports[server.ports[0]])

    def _launch(self, names: list[str]) -> None:
        launches = [self._prepared(self._servers[name]) for name in names]
        begin = time.monotonic()

        def ready(launch: Launch) -> None:
            name, title = launch.server.name, launch.server.title
            self.seconds[name] = time.monotonic() - begin
            after = f"ready after {self.seconds[name]:.1f} s" if launch.child else f"the one at {launch.url}"
            self._progress(f"{title}: {after}")

        wait_until_ready(launches, PATIENCE, ready)

    def _prepared(self, server: Server) -> Launch:
        address = self.env[server.variable]
        if server.name in self._external:
            return Launch(server, address, self._home, self._spawn)
        server.install(self._progress)
        return Launch.of(server, address, self._home, self._spawn)

    def _spawn(self, name: str, command: Command) -> subprocess.Popen[bytes]:
        keep_open = [self._hold.children.fileno()] if self._hold else []
        child = processes.spawn(name, command, folder=self.folder, keep_open=keep_open)
        self._children[name] = child
        return child

    def _end(self, names: list[str]) -> None:
        killed = processes.end([self._children[name] for name in names])
        for name in names:
            child, server = self._children[name], self._servers[name]
            if child.pid in killed:
                self._progress(f"{server.title}: did not stop, killed")
            server.stopped(self._home, child.returncode)
