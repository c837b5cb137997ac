"""A real Asterisk 22 as our child process on loopback: started, asked for its call records, stopped."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.asterisk import cdr, configuration
from tests.asterisk.cdr import Cdr
from tests.asterisk.installation import Installation

BOOT_SECONDS = 30
STOP_SECONDS = 10


class Asterisk:
    """`with Asterisk(...) as asterisk:` is booted inside the block and gone after it.

    Start it in the main thread: the kernel ends it when the thread that started it ends.
    """

    def __init__(
        self, installation: Installation, folder: Path, *, ingest_secret: str, gateway_secret: str
    ) -> None:
        self.version = installation.version
        self.folder = folder
        self.ingest_secret = ingest_secret
        self.gateway_secret = gateway_secret
        names = [*configuration.EXTENSIONS, configuration.TRUNK]
        self.ami_port, self.sip_port, *ports = free_ports(2 + len(names))
        self.phone_ports = dict(zip(names, ports, strict=True))
        config = configuration.write(
            configuration.Settings(
                folder=folder, installation=installation, ami_port=self.ami_port, sip_port=self.sip_port,
                phone_ports=self.phone_ports, ingest_secret=ingest_secret, gateway_secret=gateway_secret,
            )
        )  # fmt: skip
        self._command = [*_ends_with_us(), *installation.command(), "-C", str(config), "-f", "-n"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start and wait until the PBX says FullyBooted; after `stop` the ports are the same again."""
        if self._process is not None:
            raise RuntimeError("this Asterisk runs already")
        with (self.folder / "log/output").open("ab") as output:
            self._process = subprocess.Popen(
                self._command, cwd=self.folder, env=_environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            self._wait_booted()
        except BaseException:
            self.stop()
            raise

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process that we started, gently unless told otherwise."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def cdr(self) -> list[Cdr]:
        """The call records written so far, oldest first."""
        return cdr.read_cdrs(self.folder / "log/cdr-custom" / cdr.FILE)

    def _wait_booted(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while not self._says_booted():
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"Asterisk ended at once:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"Asterisk did not boot in {BOOT_SECONDS} s:\n{self._last_words()}")
            time.sleep(0.02)

    def _says_booted(self) -> bool:
        login = f"Action: Login\r\nUsername: legbook_ingest\r\nSecret: {self.ingest_secret}\r\n\r\n"
        seen = b""
        try:
            with socket.create_connection(("127.0.0.1", self.ami_port), timeout=2) as link:
                link.sendall(login.encode())
                while b"Event: FullyBooted" not in seen:
                    if not (data := link.recv(4096)):
                        return False
                    seen += data
        except OSError:
            return False
        return True

    def _last_words(self) -> str:
        return (self.folder / "log/output").read_text(errors="replace")[-2000:]


def free_ports(count: int) -> list[int]:
    """Distinct ports, free for TCP and UDP, below the range from which the kernel serves clients."""
    candidates = secrets.SystemRandom().sample(range(10000, 20000), 500)
    free = (port for port in candidates if _is_free(port))
    return [next(free) for _ in range(count)]


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _ends_with_us() -> list[str]:
    """Let the kernel end Asterisk if the tests are killed; without setpriv nothing does."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC"}
