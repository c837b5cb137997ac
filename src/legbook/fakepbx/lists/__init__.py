"""What a real Asterisk would answer to the actions that ask for a list, told from its events alone.

Pure: no I/O, no clock. `at(frames)` is for one cut of a recording, `Live` for who follows the events. Each module
says what events do not tell of its list; nothing is made up in its place but Asterisk's own defaults.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from legbook.ami.message import Fields
from legbook.fakepbx.lists import items
from legbook.fakepbx.lists.items import Item
from legbook.fakepbx.lists.live import Live

__all__ = ["Item", "Lists", "Live", "at"]


@dataclass(frozen=True, slots=True)
class Lists:
    """The items of each answer in Asterisk's order, from their Event on, without ActionID; no Complete events.

    `bridge_info`: by uniqueid of the bridge.
    """

    core_show_channels: list[Item]
    status: list[Item]
    bridge_list: list[Item]
    bridge_info: dict[str, list[Item]]
    queue_status: list[Item]
    parked_calls: list[Item]


def at(
    frames: Iterable[tuple[int, Fields]],
    *,
    now: int | None = None,
    major: int = 22,
    variables: Sequence[str] = (),
) -> Lists:
    """After these frames: each with its moment in microseconds, `now` on the same clock (else that of the last one).

    `major`: 16 lists channels and bridges in another order than 22; `variables`: what Status is asked for.
    """
    live, last = Live(), 0
    for last, event in frames:
        live.apply(event, last)
    now = last if now is None else now
    return Lists(
        list(items.core_show_channels(live, now, major)),
        list(items.status(live, now, variables)),
        list(items.bridge_list(live, major)),
        {uniqueid: list(items.bridge_info(live, uniqueid)) for uniqueid in live.bridges.live},
        list(items.queue_status(live, now)),
        list(items.parked_calls(live, now)),
    )
