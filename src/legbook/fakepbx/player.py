"""One timeline of events from many rounds: a round plays one recording with identities of its own."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from legbook.fakepbx.identities import Identity, Kind, Mint
from legbook.fakepbx.moments import SECOND, to_ami
from legbook.fakepbx.recording import Recording
from legbook.fakepbx.templates import TIMESTAMP, EventType, Template

Rendered = tuple[EventType, bytes]


@dataclass(slots=True)
class Round:
    """`values[i]` is what stands in slot i; `cut` is when a restart of the PBX ended it before its time.

    `script`: what it plays: its recording, until a hang-up changes how that goes on.
    """

    number: int
    recording: Recording
    started: int
    script: Sequence[Template] = field(repr=False)
    values: list[bytes] = field(repr=False)
    cut: int | None = None

    @property
    def changed(self) -> bool:
        return self.script is not self.recording.templates

    @property
    def ends(self) -> int:
        return self.started + self.script[-1].offset

    def fresh(self, identity: Identity) -> str:
        return self.values[self.recording.identities.index(identity) + 1].decode()

    def recorded(self, uniqueid: str) -> str | None:
        """The uniqueid of the recording that has become this one in this round."""
        slots = zip(self.values[1:], self.recording.identities, strict=True)
        wanted = uniqueid.encode()
        return next((i.text for value, i in slots if value == wanted and i.kind is Kind.UNIQUEID), None)


@dataclass(frozen=True, slots=True)
class Playlist:
    """What to play: the recordings in turns, `rounds` in all (None: for ever), a start every `spacing` seconds.

    Without `spacing` a round starts when the one before has ended, or would have without a hang-up.
    """

    recordings: Sequence[Recording]
    rounds: int | None = 1
    spacing: float | None = None

    def __post_init__(self) -> None:
        if not self.recordings:
            raise ValueError("a playlist needs at least one recording")
        if self.rounds is not None and self.rounds < 1:
            raise ValueError(f"rounds {self.rounds}: at least 1, or None for ever")
        if self.spacing is not None and (self.spacing < 0 or (self.spacing == 0 and self.rounds is None)):
            raise ValueError(f"spacing {self.spacing}: seconds, above 0 when rounds have no end")

    def starts(self, first: int = 0) -> Iterator[tuple[int, Recording, int]]:
        """(number, recording, start in microseconds after the first start), from round `first` on."""
        number, start = first, 0
        while self.rounds is None or number < self.rounds:
            recording = self.recordings[number % len(self.recordings)]
            yield number, recording, start
            start += recording.length if self.spacing is None else round(self.spacing * SECOND)
            number += 1


class Timeline:
    """The events of all rounds in the order of their moments. Nothing is rendered before it is taken."""

    def __init__(self, playlist: Playlist, *, begins: int, mint: Mint, opened: list[Round]) -> None:
        """Goes on after the rounds that are in `opened` already, and adds there what it opens."""
        self._begins = begins
        self._mint = mint
        self._opened = opened
        self._starts = playlist.starts(first=sum(playing.number >= 0 for playing in opened))
        self._next = next(self._starts, None)
        self._live: list[tuple[int, int, int, Round]] = []  # heap: moment, round, index of its next event

    def next_moment(self) -> int | None:
        """Of the next event or start of a round; None when all is played."""
        moments = [self._live[0][0]] if self._live else []
        if self._next:
            moments.append(self._begins + self._next[2])
        return min(moments, default=None)

    def take(self, until: int | None, at_most: int) -> tuple[list[Rendered], int]:
        """The next events up to that moment (None: any), and the moment of the last one.

        What happens at the same microsecond is never torn apart.
        """
        taken: list[Rendered] = []
        live, moment = self._live, self._begins
        while True:
            self._open_due(until)
            if not live or (until is not None and live[0][0] > until):
                break
            if len(taken) >= at_most and live[0][0] > moment:
                break
            moment, number, index, playing = live[0]
            script = playing.script
            template = script[index]
            values = playing.values
            values[TIMESTAMP] = to_ami(moment)
            taken.append((template.type, template.pattern % template.pick(values)))
            if index + 1 == len(script):
                heapq.heappop(live)
            else:
                after = playing.started + script[index + 1].offset
                heapq.heapreplace(live, (after, number, index + 1, playing))
        return taken, moment

    def add(self, playing: Round) -> None:
        """One more round, out of turn."""
        self._opened.append(playing)
        heapq.heappush(self._live, (playing.started + playing.script[0].offset, playing.number, 0, playing))

    def playing(self) -> Iterator[tuple[Round, int]]:
        """The rounds that are not over, each with how many events of its script have been taken."""
        return ((playing, done) for _, _, done, playing in self._live)

    def change(self, playing: Round, done: int, script: Sequence[Template]) -> None:
        """A round that is not over goes on otherwise; the first `done` events of the script stay what they were."""
        playing.script = script
        live = [entry for entry in self._live if entry[3] is not playing]
        if done < len(script):
            live.append((playing.started + script[done].offset, playing.number, done, playing))
        heapq.heapify(live)
        self._live = live

    def _open_due(self, until: int | None) -> None:
        """Every round that starts before the next event, or, with nothing live, the next one."""
        while self._next:
            number, recording, after = self._next
            start = self._begins + after
            if (self._live and start > self._live[0][0]) or (until is not None and start > until):
                return
            values = [
                self._mint.fresh(identity, start + first)
                for identity, first in zip(recording.identities, recording.first_used, strict=True)
            ]
            playing = Round(number, recording, start, recording.templates, [b"", *values])
            self._opened.append(playing)
            heapq.heappush(self._live, (start + recording.templates[0].offset, number, 0, playing))
            self._next = next(self._starts, None)
