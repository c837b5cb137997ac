"""Child processes: how they are started and ended, that they die with us, and which ports are free."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from legbook.devstack.server import StackError

LOOPBACK = "127.0.0.1"
# Below the ephemeral range (32768 and up): no outgoing connection takes a port before its server does.
FIRST_PORT, LAST_PORT = 20_000, 29_999


def spawn(
    name: str,
    argv: Sequence[str | Path],
    *,
    folder: Path,
    env: Mapping[str, str] | None = None,
    stdout_to_log: bool = True,
    keep_open: Collection[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts a child process that gets SIGTERM when we die, even by kill -9.

    `env` is added to our own environment. The output is appended to `<folder>/<name>.log`; with
    `stdout_to_log=False` only stderr is, and stdout is ours. The files `keep_open` are inherited.
    """
    if threading.current_thread() is not threading.main_thread():
        # The signal comes when the thread that started the child ends, not the process.
        raise StackError(f"{name} must be started in the main thread")
    # setpriv sets the signal and becomes the program: same pid, and no preexec_fn (unsafe with threads).
    wrapper = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [*wrapper, *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=log if stdout_to_log else None,
            stderr=log,
            env={**os.environ, **(env or {})},
            start_new_session=True,  # Ctrl-C in the terminal is for us: we stop the children in order
            pass_fds=tuple(keep_open),
        )


def end(children: Collection[subprocess.Popen[bytes]], patience: float = 20) -> list[int]:
    """Asks them all to end, kills those that have not after `patience` seconds, and returns their pids."""
    for child in children:
        child.terminate()  # does nothing when the child has ended
    deadline = time.monotonic() + patience
    killed = []
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            kill(child)
            killed.append(child.pid)
    return killed


def kill(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()


def free_ports(count: int) -> list[int]:
    """Different free ports: all are held until the last one is found."""
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
            with suppress(OSError):  # taken: try another one
                held.enter_context(socket.create_server((LOOPBACK, port)))
                ports.append(port)
    return ports


def bindable(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True
