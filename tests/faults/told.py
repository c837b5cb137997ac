"""What became of every command, by the PBXs themselves: asked once, done once or never, and told as it was."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from legbook.contracts import codec
from legbook.contracts.commands import CommandResult, Originate
from legbook.contracts.topics import RESULTS
from legbook.demo.world import World
from legbook.fakepbx import FakePbx
from tests.e2e import topics
from tests.faults.commands import Asked, Commander

ANSWERED: Final = 15.0  # seconds after its publication, and after the ringing, a command has its end
Reached = Counter[tuple[str, str, str]]  # PBX, verb, channel
SOON: Final = 0.05  # seconds between two clocks of one machine


class End(NamedTuple):
    """A final state, and when it was on record, by the broker's clock."""

    at: float
    result: CommandResult


Told = Mapping[str, Sequence[End]]
"""By command_id: every final state on record, in order."""


def reached(pbxs: Iterable[FakePbx]) -> Reached:
    """What the PBXs were told to do, and how often."""
    fields = {"Hangup": "Channel", "Originate": "ChannelId"}
    return Counter(
        (pbx.name, verb, str(action.fields.get(field)))
        for pbx in pbxs
        for verb, field in fields.items()
        for action in pbx.actions.named(verb)
    )


def doubled(pbxs: Iterable[FakePbx], asked: Iterable[Asked]) -> list[str]:
    """Channels that the PBX was told to hang up, or to make, more often than anybody had asked."""
    wanted = Counter(_effect(each) for each in asked)
    return [" ".join(each) for each in (reached(pbxs) - wanted).elements()]


def _effect(asked: Asked) -> tuple[str, str, str]:
    return asked.command.pbx, type(asked.command).__name__, asked.uid


async def ends(world: World) -> Told:
    found: dict[str, list[End]] = {}
    for record in await topics.records(world, RESULTS.name):
        result = codec.decode_result(record.value or b"")
        if result.final:
            found.setdefault(result.command_id, []).append(End(record.timestamp / 1000, result))
    return found


def unanswered(commander: Commander, told: Told) -> list[str]:
    """Commands without a final state on the results topic in time."""
    late = []
    for each in commander.asked:
        rings = each.command.args.ring if isinstance(each.command, Originate) else 0
        latest = max(each.at, commander.kafka_back) + rings + ANSWERED
        at = min((end.at for end in told.get(each.command.command_id, [])), default=math.inf)
        if at > latest:
            late.append(f"{each}: end {'never' if at == math.inf else f'after {at - each.at:.1f} s'}")
    return late


def untrue(pbxs: Mapping[FakePbx, datetime], asked: Iterable[Asked], told: Told) -> Iterator[str]:
    """Ends that say something else than what happened, or than another end. `pbxs`: and their last moment.

    `unknown` is never a lie.
    """
    at_pbx, legs = reached(pbxs), _called(pbxs)
    for each in asked:
        found = told.get(each.command.command_id, [])
        if len({end.result.state for end in found}) > 1:
            yield f"{each}: {', then '.join(end.result.state for end in found)}"
        for end in found:
            if end.result.state != "unknown":
                sent = bool(at_pbx[_effect(each)])
                yield from _lies(each, end, legs.get((each.command.pbx, each.uid), Called()), sent=sent)


class Called(NamedTuple):
    """A called channel: when it was answered and when it ended, by the PBX; Unix seconds."""

    answer: float = math.inf
    end: float = math.inf


def _lies(asked: Asked, end: End, called: Called, *, sent: bool) -> Iterator[str]:
    state, reason, by = end.result.state, end.result.reason, end.at + SOON
    is_done = state == "done"
    if (is_done or reason in {"ami_error", "not_reached"}) != sent:
        yield f"{asked}: {state} {reason}, and it did {'' if sent else 'not '}reach the PBX"
    if isinstance(asked.command, Originate):
        if (called.answer <= by if is_done else called.answer < math.inf) != is_done:
            yield f"{asked}: {state} {reason}, and the phone did {'not ' * is_done}answer"
    elif is_done and called.end > by:
        yield f"{asked}: done, and the channel was there"


def _called(pbxs: Mapping[FakePbx, datetime]) -> dict[tuple[str, str], Called]:
    """By PBX and uniqueid (two PBXs may have the same), as far as the PBX has got."""
    return {
        (pbx.name, leg.dstuid): Called(
            leg.answer.timestamp() if leg.answer and leg.answer <= moment else math.inf,
            leg.end.timestamp() if leg.end <= moment else math.inf,
        )
        for pbx, moment in pbxs.items()
        for leg in [*pbx.truth.finished(moment), *pbx.truth.live(moment)]
        if leg.dstuid is not None
    }
