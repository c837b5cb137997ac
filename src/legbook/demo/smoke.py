"""`make smoke`: ring-group calls through everything; what must be seen is awaited and checked.

Round one: one call on two PBXs. Round two, on the first: its answered leg is hung up by command. The last line is
`smoke: live_rows=6 cdr_rows=6 commands=1 ok`, or says what is wrong; exit code 1 then.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from legbook.demo import pbxs
from legbook.demo.playing import playing
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.devstack import StackError
from legbook.fakepbx import FakePbx

_T = TypeVar("_T")
_ZERO = "0000-00-00 00:00:00"
_PHONES = ["201", "202", "203"]
_ROUND_TWO = 10.0  # seconds after round one
_WHOLE_TALK = 3.9  # seconds, nearly: what nobody cuts short


class WrongError(Exception):
    """What was seen is not what must be seen."""


def main() -> None:
    began = time.monotonic()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="legbook-smoke-") as folder,
            World(Path(folder), _say) as world,
        ):
            live, finished, commands = asyncio.run(_calls(world))
    except (WrongError, StackError) as error:
        _say(f"smoke: failed after {time.monotonic() - began:.0f} s: {error}")
        sys.exit(1)
    _say(f"smoke: live_rows={live} cdr_rows={finished} commands={commands} ok")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _calls(world: World) -> tuple[int, int, int]:
    first, second = pbxs.NAMES
    played = [pbxs.ring_groups(first, 2, _ROUND_TWO), pbxs.ring_groups(second, 1)]
    async with playing(world, played) as watch:
        for pbx in played:
            pbx.begin()
        ringing = await _until("six rows ringing", watch.live, _six_ringing)
        answered = await _until("one row a PBX talking", watch.live, _two_talking)
        _same(sorted({row["id"] for row in answered} - {row["id"] for row in ringing}), [], "new ids")
        await _until("no row left", watch.live, lambda rows: not rows)
        rows = await _until("six rows in view cdr", lambda: _archived(watch), lambda r: len(r) >= 6)
        _check_archive(rows, watch.query("SELECT * FROM calls"))
        commands = await _round_two(world, watch, played[0], {row["leg_id"] for row in rows})
        return len(ringing), len(rows), commands


def _archived(watch: Watch) -> list[dict[str, Any]]:
    return watch.query("SELECT * FROM cdr")


async def _round_two(world: World, watch: Watch, pbx: FakePbx, before: set[int]) -> int:
    """The leg that talks is hung up by command; how many commands the PBX saw."""
    (talking,) = await _until(
        "a row talking", watch.live, lambda rows: [row["disposition"] for row in rows] == ["LINK"]
    )
    answer = await asyncio.to_thread(world.legbook, "command", "hangup", pbx.name, str(talking["id"]))
    _same(answer.partition(":")[0], "done", "the command")
    _say(f"  legbook command hangup: {answer.strip()}")
    await _until("no row left", watch.live, lambda rows: not rows)
    rows = await _until(
        "three more rows in view cdr",
        lambda: [row for row in _archived(watch) if row["leg_id"] not in before],
        lambda r: len(r) >= 3,
    )
    told = {row["dstdevice"]: row["disposition"] for row in rows}
    _same(told, {"201": "NO ANSWER", "202": "ANSWERED", "203": "NO ANSWER"}, "legs of round two")
    talked = [row["billsec"] for row in rows if row["leg_id"] == talking["id"]]
    if not (len(talked) == 1 and 0 < talked[0] < _WHOLE_TALK):
        raise WrongError(f"billsec of the leg that was hung up: {talked}, wanted less than {_WHOLE_TALK}")
    return len(pbx.actions.named("Hangup"))


async def _until(what: str, look: Callable[[], _T], good: Callable[[_T], bool], patience: float = 20.0) -> _T:
    """Looks every 20 ms; WrongError with what was seen last."""
    deadline = time.monotonic() + patience
    while not good(seen := await asyncio.to_thread(look)):
        if time.monotonic() > deadline:
            raise WrongError(f"waited {patience:.0f} s for {what}, saw {seen}")
        await asyncio.sleep(0.02)
    _say(f"  {what}: seen")
    return seen


def _six_ringing(rows: list[dict[str, Any]]) -> bool:
    if len(rows) != 6 or {row["disposition"] for row in rows} != {"RINGING"}:
        return False
    for pbx in pbxs.NAMES:
        mine = [row for row in rows if row["pbx"] == pbx]
        _same([row["dialstring"] for row in mine], _PHONES, f"phones of {pbx}")
    for row in rows:
        _same((row["src"], row["dst"], row["didnumber"]), ("2002", "1000", "30900"), f"row {row['id']}")
        _same(row["answertime"], _ZERO, f"answertime of row {row['id']}")
        _same(row["srcchan"].partition("/")[2].partition("-")[0], "sipto45", "device of srcchan")
        _same(row["dstchan"].partition("/")[2].partition("-")[0], row["dialstring"], "device of dstchan")
    return True


def _two_talking(rows: list[dict[str, Any]]) -> bool:
    if len(rows) != 2 or {row["disposition"] for row in rows} != {"LINK"}:
        return False
    _same([row["dialstring"] for row in rows], ["202", "202"], "who talks")
    _same([row["id"] for row in rows if str(row["answertime"]) == _ZERO], [], "rows without answertime")
    return True


def _check_archive(rows: list[dict[str, Any]], calls: list[dict[str, Any]]) -> None:
    wanted = sorted(
        (pbx, phone, "ANSWERED" if phone == "202" else "NO ANSWER") for pbx in pbxs.NAMES for phone in _PHONES
    )
    _same(sorted((row["pbx"], row["dstdevice"], row["disposition"]) for row in rows), wanted, "archived legs")
    _same(sorted((call["pbx"], call["answered_by"], call["phones_rung"]) for call in calls),
          sorted((pbx, "202", 3) for pbx in pbxs.NAMES), "calls")  # fmt: skip


def _same(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise WrongError(f"{what}: wanted {wanted}, found {found}")


if __name__ == "__main__":
    main()
