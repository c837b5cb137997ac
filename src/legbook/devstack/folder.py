"""The stack's folder: whose it is at the moment, which ports it had, and where its addresses are written."""

import fcntl
import json
import shlex
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from legbook.devstack.processes import bindable, free_ports
from legbook.devstack.server import StackError

PATIENCE = 20  # seconds for the children of a killed stack to end


@dataclass(frozen=True, slots=True)
class Hold:
    """The folder is ours. Two locks: ours ends with us, and the children inherit the other one."""

    ours: TextIO
    children: TextIO

    def release(self) -> None:
        self.children.close()
        self.ours.close()


def take(folder: Path) -> Hold:
    """StackError if another stack has it. The children of a killed one are waited for: the data is theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    hold = Hold((folder / "lock").open("a"), (folder / "children.lock").open("a"))
    if not locked(hold.ours):
        hold.release()
        raise StackError(f"{folder} is in use by another stack")
    deadline = time.monotonic() + PATIENCE
    while not locked(hold.children):
        if time.monotonic() > deadline:
            hold.release()
            raise StackError(f"{folder} is in use by servers of a stack that has died: end them")
        time.sleep(0.05)
    return hold


def locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def choose_ports(folder: Path, names: Iterable[str], wanted: Mapping[str, int]) -> dict[str, int]:
    """The wanted port, or else the one of last time if it is free, or else a new one."""
    memory = folder / "ports.json"
    last: dict[str, int] = json.loads(memory.read_text()) if memory.exists() else {}
    ports = {}
    for name in names:
        if name in wanted:
            ports[name] = wanted[name]
        elif name in last and bindable(last[name]):
            ports[name] = last[name]
    missing = [name for name in names if name not in ports]
    ports |= dict(zip(missing, free_ports(len(missing)), strict=True))
    memory.write_text(json.dumps({**last, **ports}))
    return ports


def write_env(folder: Path, env: Mapping[str, str]) -> None:
    lines = (f"export {variable}={shlex.quote(value)}\n" for variable, value in env.items())
    (folder / "env.sh").write_text("".join(lines))
