"""Servers fetched once with Maven into a cache folder that all checkouts of a user share."""

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from legbook.devstack.server import Progress, StackError

POM = Path(__file__).with_name("pom.xml")
PACKAGES = {"java": "default-jre-headless", "mvn": "maven"}  # of Debian
PATIENCE = 1800  # seconds for Maven


def cache() -> Path:
    if own := os.environ.get("LEGBOOK_CACHE"):
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "legbook"


def require(program: str, *, by: str) -> Path:
    """Where `program` is; StackError with the one line that installs it when it is nowhere."""
    if found := shutil.which(program):
        return Path(found)
    raise StackError(
        f"{by} needs {program}, which is not installed: sudo apt-get install {PACKAGES[program]}"
    )


def fetched(profile: str, *, title: str, what: str, progress: Progress) -> Path:
    """The folder with the files of this profile of pom.xml. Another pom.xml has another folder."""
    target = cache() / f"{profile}-{hashlib.sha256(POM.read_bytes()).hexdigest()[:8]}"
    if target.exists():
        return target
    maven = require("mvn", by=title)
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():  # another session may have fetched it meanwhile
            begin = time.monotonic()
            progress(f"{title}: fetching {what} with Maven")
            part = target.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            # Maven inherits the lock: if we are killed, nobody else writes here before Maven has ended too.
            run_maven(maven, profile, part, lock.fileno())
            make_executable(part)
            part.rename(target)
            progress(f"{title}: fetched in {time.monotonic() - begin:.0f} s")
    return target


def run_maven(maven: Path, profile: str, out: Path, lock: int) -> None:
    more = shlex.split(os.environ.get("LEGBOOK_MVN_OPTS", ""))
    argv: list[str | Path] = [
        maven,
        "-q",
        "-B",
        "-f",
        POM,
        f"-Dout={out}",
        "-P",
        profile,
        *more,
        "generate-resources",
    ]
    try:
        done = subprocess.run(
            argv,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            pass_fds=(lock,),
        )
    except subprocess.TimeoutExpired:
        raise StackError(f"Maven has not fetched {profile} after {PATIENCE} s") from None
    if done.returncode:
        raise StackError(
            f"Maven could not fetch {profile} (options: LEGBOOK_MVN_OPTS):\n{done.stdout[-3000:]}"
        )


def make_executable(folder: Path) -> None:
    """A jar knows no permissions."""
    for file in (*folder.glob("**/bin/*"), *folder.glob("**/scripts/*")):
        file.chmod(0o755)
