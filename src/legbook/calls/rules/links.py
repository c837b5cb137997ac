"""What the AMI link itself tells: a new boot, a PBX that left the fleet, one that stays away.

1. A new boot closes every leg of the old one: no channel outlives its Asterisk. Their end is estimated.
2. A PBX removed from the fleet ends its legs.
3. One away for 15 minutes (heartbeats say so) ends its legs too; it may still tell of real ends.
4. A gap, and what was read and shed, leave the state in doubt until the next list.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from legbook.calls import corrections, talks
from legbook.calls.step import Step
from legbook.contracts.legs import EndReason
from legbook.contracts.raw import ConnectionDown, ConnectionUp, Drop, Gap, Heartbeat

LOST_AFTER = 15 * 60.0
_RULES: Final[dict[EndReason, str]] = {"pbx_restart": "links.1", "removed": "links.2", "pbx_lost": "links.3"}


def new_boot(step: Step, boot: int) -> None:
    """The old boot was alive until we heard of it for the last time, at least."""
    if step.calls.boot is not None:
        _forget(step, "pbx_restart", datetime.fromtimestamp(boot, UTC))
    step.calls.boot = boot


def up(step: Step, _entry: ConnectionUp) -> None:
    step.calls.down_since = None


def down(step: Step, entry: ConnectionDown) -> None:
    if entry.reason == "removed":
        _forget(step, "removed", step.now)
    else:
        _away(step)


def heartbeat(step: Step, entry: Heartbeat) -> None:
    if entry.state == "down":
        _away(step)
    else:
        step.calls.down_since = None


def gap(step: Step, _entry: Gap) -> None:
    step.calls.gap = True


def dropped(step: Step, entry: Drop) -> None:
    if entry.reason == "buffer_full":
        step.calls.suspect_since, step.calls.gap = step.now, True


def _away(step: Step) -> None:
    if step.calls.down_since is None and step.now is not None:
        step.calls.down_since = step.now
        step.later(LOST_AFTER, "links.lost", "")


def lost(step: Step, _key: str) -> None:
    since = step.calls.down_since
    if since is not None and step.now is not None and step.now - since >= timedelta(seconds=LOST_AFTER):
        _forget(step, "pbx_lost", since)


def _forget(step: Step, reason: EndReason, end: datetime | None) -> None:
    calls = step.calls
    if end is not None and calls.heard is not None:
        end = min(end, calls.heard)
    talks.stop_all(step, end)
    for known in (calls.channels, calls.local_halves, calls.bridges, calls.held, calls.missed):
        known.clear()
    calls.timers.clear()
    for leg in list(calls.legs.values()):
        corrections.estimate(step, leg, reason, end, _RULES[reason])
    if reason != "pbx_lost":
        calls.missed.clear()
