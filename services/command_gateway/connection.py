"""Our own connection to one PBX: writes actions, hears answers and hang-ups."""

from datetime import datetime

import structlog
from panoramisk.message import Message as Answer

from command_gateway import metrics
from command_gateway.confirm import Hangups
from command_gateway.settings import Settings
from legbook.ami.framing import Frame
from legbook.ami.message import parse
from legbook.runtime.amikeeper import Keeper
from legbook.runtime.amilink import Link, LinkError
from legbook.runtime.fleet import Pbx

_log = structlog.get_logger("command_gateway")
_HANGUP = b"Event: Hangup\r\n"


class Connection:
    """The AMI user needs `read = call`, `write = call` and, to originate, `write = originate`: nothing else."""

    def __init__(self, name: str, pbx: Pbx, login: tuple[str, str], settings: Settings) -> None:
        self.place = (pbx, login)
        self.policy = pbx.policy
        self._name = name
        self._keeper = Keeper(name, pbx, login, settings, self)
        self.hangups = Hangups()
        metrics.CONNECTED.labels(name).set(0)

    @property
    def link(self) -> Link | None:
        """While it is up."""
        return self._keeper.link

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await self._keeper.run()
        finally:
            self._keeper.stop()

    def frame(self, frame: Frame) -> None:
        if frame.data.startswith(_HANGUP):
            self.hangups.saw(parse(frame).first("Uniqueid"))

    def flushed(self) -> None:
        """Nothing is batched here."""

    async def rise(self, link: Link) -> None:
        metrics.CONNECTED.labels(self._name).set(1)
        _log.info("connected", pbx=self._name, banner=link.banner)

    async def attend(self, link: Link) -> None:
        """The pings are enough."""

    def pinged(self, sent: datetime, got: datetime, answer: Answer) -> None:
        """That it came back is enough."""

    def down(self, error: LinkError, *, was_up: bool) -> None:  # noqa: ARG002  # as Listener has it
        metrics.CONNECTED.labels(self._name).set(0)
