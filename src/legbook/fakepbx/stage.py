"""What happens on stage: rounds on the clock of the PBX, a restart that cuts them, a hang-up that changes one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from legbook.fakepbx.clicks import Click, asked
from legbook.fakepbx.clock import Clock
from legbook.fakepbx.hangup import Hangup, after_hangup
from legbook.fakepbx.identities import Mint
from legbook.fakepbx.player import Playlist, Rendered, Round, Timeline
from legbook.fakepbx.recording import Recording

_BATCH = 256  # events between two turns of everybody else


class Stage:
    """`deliver` gets every event at its moment. Nothing happens before `begin`, nor from `cut` to the next one."""

    def __init__(
        self, name: str, playlist: Playlist, clock: Clock, deliver: Callable[[Sequence[Rendered]], None]
    ) -> None:
        self.rounds: list[Round] = []
        self.over = asyncio.Event()
        self._name = name
        self._playlist = playlist
        self._clock = clock
        self._deliver = deliver
        self._mint = Mint(name, clock.boot)
        self._timeline: Timeline | None = None
        self._played = clock.boot  # the moment of the last event that was delivered

    @property
    def begun(self) -> bool:
        return self._timeline is not None

    def begin(self) -> None:
        self.over.clear()
        self._played = now = self._clock.now()
        self._timeline = Timeline(self._playlist, begins=now, mint=self._mint, opened=self.rounds)

    async def play(self, drain: Callable[[], Awaitable[None]]) -> None:
        """Until all is played. Flat out it waits for `drain`; a task in this can be cancelled and begun again."""
        if self._timeline is None:
            return
        while (moment := self._timeline.next_moment()) is not None:
            await self._clock.reach(moment)
            self._advance(self._timeline, None if self._clock.flat else self._clock.now())
            if self._clock.flat:
                await drain()
        self.over.set()

    def cut(self) -> None:
        """What is due is still said; whatever a round would do after that never happens."""
        if self._timeline is None:
            return
        now = self._catch_up(self._timeline)
        for playing in self.rounds:
            if playing.cut is None and playing.ends > now:
                playing.cut = now
        self._timeline = None

    def reboot(self) -> None:
        """After `cut`: a later time and new identities."""
        self._clock.reboot()
        self._mint = Mint(self._name, self._clock.boot)

    def hang_up(self, uniqueid: str, cause: int | None) -> bool:
        """Its round goes on otherwise from now on: `play` anew. False if no round knows how the channel ends."""
        if self._timeline is None:
            return False
        now = self._catch_up(self._timeline)
        for playing, done in self._timeline.playing():
            if recorded := playing.recorded(uniqueid):
                asked = Hangup(recorded, now - playing.started, cause)
                script = after_hangup(playing.recording, playing.script, done, asked)
                if script is not None:
                    self._timeline.change(playing, done, script)
                return script is not None
        return False

    def originate(self, recording: Recording, click: Click) -> bool:
        """It begins now, as a round out of turn: `play` anew. False if nothing has begun."""
        if self._timeline is None:
            return False
        now = self._catch_up(self._timeline)
        number = -1 - sum(playing.number < 0 for playing in self.rounds)
        self._timeline.add(asked(recording, number, now, self._mint, click))
        return True

    def _advance(self, timeline: Timeline, until: int | None) -> None:
        events, moment = timeline.take(until, _BATCH)
        if events:
            self._deliver(events)
            self._played = moment
            if self._clock.flat:
                self._clock.jump(moment)

    def _catch_up(self, timeline: Timeline) -> int:
        """Says what is due. The moment that has been reached; flat out that is the one of the newest event."""
        if not self._clock.flat:
            now = self._clock.now()
            while (moment := timeline.next_moment()) is not None and moment <= now:
                self._advance(timeline, now)
            self._played = now
        return self._played
