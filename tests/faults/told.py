"""What became of every command, by the PBXs themselves: asked once, done once or never, and told as it was."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from legbook.contracts import codec
from legbook.contracts.commands import CommandResult, Originate
from legbook.contracts.topics import RESULTS
from legbook.demo.world import World
from legbook.fakepbx import FakePbx
from tests.e2e import topics
from tests.faults.commands import Asked, Commander

ANSWERED: Final = 15.0  # seconds after its publication, and after the ringing, a command has its end
Reached = Counter[tuple[str, str, str]]  # PBX, verb, channel


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


async def ends(world: World) -> dict[str, tuple[float, CommandResult]]:
    """By command_id: the first final state, and when it was on record, by the broker's clock."""
    found: dict[str, tuple[float, CommandResult]] = {}
    for record in await topics.records(world, RESULTS.name):
        result = codec.decode_result(record.value or b"")
        if result.final:
            found.setdefault(result.command_id, (record.timestamp / 1000, result))
    return found


def unanswered(commander: Commander, told: Mapping[str, tuple[float, CommandResult]]) -> list[str]:
    """Commands without a final state on the results topic in time."""
    late = []
    for each in commander.asked:
        rings = each.command.args.ring if isinstance(each.command, Originate) else 0
        latest = max(each.at, commander.kafka_back) + rings + ANSWERED
        at = told[each.command.command_id][0] if each.command.command_id in told else math.inf
        if at > latest:
            late.append(f"{each}: end {'never' if at == math.inf else f'after {at - each.at:.1f} s'}")
    return late


def untrue(
    pbxs: Mapping[FakePbx, datetime],
    asked: Iterable[Asked],
    told: Mapping[str, tuple[float, CommandResult]],
) -> Iterator[str]:
    """Ends that say something else than what happened. `unknown` is never a lie. `pbxs`: and their last moment."""
    at_pbx, phones = reached(pbxs), _phones(pbxs)
    for each in asked:
        _, result = told.get(each.command.command_id, (0.0, None))
        if result is None or result.state == "unknown":
            continue
        was_sent = result.state == "done" or result.reason in {"ami_error", "not_reached", "no_effect"}
        if was_sent != bool(at_pbx[_effect(each)]):
            yield f"{each}: {result.state} {result.reason}, and it did {'not ' * was_sent}reach the PBX"
        if isinstance(each.command, Originate):
            answered = phones.get(each.uid, False)
            if answered != (result.state == "done"):
                yield f"{each}: {result.state} {result.reason}, and the phone did {'' if answered else 'not '}answer"


def _phones(pbxs: Mapping[FakePbx, datetime]) -> dict[str, bool]:
    """The channels of called phones, and whether they were answered."""
    return {
        leg.dstuid: leg.answer is not None and leg.answer <= moment
        for pbx, moment in pbxs.items()
        for leg in [*pbx.truth.finished(moment), *pbx.truth.live(moment)]
        if leg.dstuid is not None
    }
