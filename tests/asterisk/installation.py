"""Where an unpacked Asterisk 22 lies on this disk: fetched once from the Debian mirror into a cache."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUITE = "sid"  # the one Debian suite that has Asterisk 22
FETCH = Path(__file__).with_name("fetch_asterisk.sh")
FETCH_SECONDS = 600


class UnavailableError(Exception):
    """There is no Asterisk here and none can be fetched."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An unpacked tree that runs in place, with its own loader and its own libraries."""

    root: Path
    version: str

    def command(self) -> list[str]:
        libraries = [self._library_dir, self.root / "usr/lib", self._library_dir / "pulseaudio"]
        loader = next(self._library_dir.glob("ld-linux-*.so*"))
        search = ":".join(str(path) for path in libraries if path.is_dir())
        return [str(loader), "--library-path", search, str(self.root / "usr/sbin/asterisk")]

    @property
    def modules(self) -> Path:
        return self._library_dir / "asterisk/modules"

    @property
    def data(self) -> Path:
        return self.root / "usr/share/asterisk"

    @property
    def _library_dir(self) -> Path:
        return next(self.root.glob("usr/lib/*-linux-gnu*"))


def cached_asterisk() -> Installation:
    """The Asterisk of the cache, fetched if it is not there yet; UnavailableError tells why not."""
    home = _cache() / "asterisk-22"
    with _alone(home.with_suffix(".lock")):
        if not (home / "complete").exists():
            _fetch(home)
    return Installation(home / "root", (home / "complete").read_text().strip())


def _cache() -> Path:
    return Path(os.environ.get("LEGBOOK_CACHE") or Path.home() / ".cache/legbook").absolute()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process at a time look at the cache; the lock ends with its holder."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise UnavailableError(f"the cache cannot be written: {error}") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(home: Path) -> None:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"Asterisk cannot be fetched: no {tool} here")
    shutil.rmtree(home, ignore_errors=True)  # half a fetch
    try:
        subprocess.run(
            ["sh", FETCH, SUITE, home], check=True, capture_output=True, text=True, timeout=FETCH_SECONDS
        )
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"Asterisk cannot be fetched: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"Asterisk cannot be fetched within {FETCH_SECONDS} s") from error
