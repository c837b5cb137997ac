"""What one leg went through: each entry that changed it, the rules it met, what is new; as text or as JSON."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from legbook.ami.message import first
from legbook.calls import LegChange, PbxState
from legbook.cli.fold import CONTEXTS
from legbook.cli.recordings import Placed
from legbook.cli.rulebook import sentence
from legbook.cli.why import why
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Event

_SHOWN: Final = (
    *(
        "state",
        "ring",
        "answer",
        "end",
        "disposition",
        "src",
        "dst",
        "dialled",
        "didnumber",
        "queue",
        "src_up",
    ),
    *("src_gone", "dialstatus", "hangupcause", "billsec", "end_reason", "flags", "peer"),
)


@dataclass(frozen=True, slots=True)
class Touch:
    """One entry that changed the leg: None for the end of the file."""

    placed: Placed | None
    change: LegChange


@dataclass(slots=True)
class Histories:
    """Every leg with all that touched it, in order. Folds each PBX from nothing.

    `first_number`: that of the PBX that comes first, the last 12 bits of its leg ids.
    """

    first_number: int
    contexts: Iterable[str] = CONTEXTS
    touches: dict[tuple[str, int], list[Touch]] = field(default_factory=dict)  # by PBX and leg_id
    states: dict[str, PbxState] = field(default_factory=dict)

    def apply(self, each: Placed) -> None:
        state = self.states.get(each.pbx)
        if state is None:
            number = self.first_number + len(self.states)
            state = self.states[each.pbx] = PbxState(each.pbx, number, self.contexts)
        self._take(each, state.apply(each.entry, epoch=each.epoch, boot=each.boot))

    def end(self) -> None:
        """Nothing more comes: a second passes."""
        for state in self.states.values():
            if state.now is not None:
                self._take(None, state.advance(state.now + timedelta(seconds=1)))

    def _take(self, entry: Placed | None, changes: Iterable[object]) -> None:
        for change in changes:
            if isinstance(change, LegChange):
                self.touches.setdefault((change.leg.pbx, change.leg.leg_id), []).append(Touch(entry, change))

    @property
    def legs(self) -> list[Leg]:
        return [touches[-1].change.leg for _, touches in sorted(self.touches.items())]


def histories_of(entries: Iterable[Placed], first_number: int) -> Histories:
    histories = Histories(first_number)
    for each in entries:
        histories.apply(each)
    histories.end()
    return histories


def _of_its_pbx(leg: Leg, histories: Histories) -> list[Leg]:
    return [each for each in histories.legs if each.pbx == leg.pbx]


def clock(moment: datetime | None) -> str:
    return moment.strftime("%H:%M:%S.%f")[:-3] if moment else "-"


def title(leg: Leg) -> str:
    who = f"{leg.src or '-'} -> {leg.dst or '-'} on {leg.dstdevice or leg.srcdevice}"
    return f"{leg.kind} {who}, {leg.disposition or leg.state}"


def _changed(before: Leg | None, after: Leg) -> dict[str, Any]:
    """What is new in it, of the fields that say something."""
    known = msgspec.structs.asdict(before) if before else {}
    new = {name: getattr(after, name) for name in _SHOWN if known.get(name) != getattr(after, name)}
    said = {name: msgspec.to_builtins(value, builtin_types=(datetime,)) for name, value in new.items()}
    return {name: value for name, value in said.items() if value or (name == "peer" and before)}


def _steps(leg: Leg, histories: Histories) -> Iterator[dict[str, Any]]:
    before: Leg | None = None
    for touch in histories.touches[leg.pbx, leg.leg_id]:
        yield {**_entry(touch), "changed": _changed(before, touch.change.leg)}
        before = touch.change.leg


def _entry(touch: Touch) -> dict[str, Any]:
    entry = touch.placed.entry if touch.placed else None
    fields = entry.fields if isinstance(entry, Event) else {}
    name = "end of file" if entry is None else str(entry.__struct_config__.tag)
    return {
        "at": (entry.at or entry.received_at) if entry else None,
        "event": entry.name if isinstance(entry, Event) else name,
        "channel": first(fields, "Channel") or first(fields, "DestChannel"),
        "rules": {rule: sentence(rule) for rule in dict.fromkeys(touch.change.rules)},
    }


def as_json(leg: Leg, histories: Histories) -> Iterator[str]:
    for step in _steps(leg, histories):
        yield msgspec.json.encode(step).decode()
    yield msgspec.json.encode(
        {"leg_id": leg.leg_id, "leg": title(leg), "why": why(leg, _of_its_pbx(leg, histories))}
    ).decode()


def as_text(leg: Leg, histories: Histories) -> Iterator[str]:
    yield f"Leg {leg.leg_id}: {title(leg)}"
    for step in _steps(leg, histories):
        yield f"\n{clock(step['at'])}  {step['event']}  {step['channel']}".rstrip()
        for rule, text in step["rules"].items():
            yield f"    {rule:<14} {text}"
        for name, value in step["changed"].items():
            yield f"      {name} = {clock(value) if isinstance(value, datetime) else value}"
    yield f"\nWhy: {why(leg, _of_its_pbx(leg, histories))}"
