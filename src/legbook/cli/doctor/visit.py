"""One AMI user logged in to a PBX: asks what it may ask, and listens. Changes nothing, judges nothing."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast

from ami_ingest.stamps import moment
from legbook.cli.doctor.guest import Guest, allowed
from legbook.runtime.amilink import Link
from legbook.runtime.fleet import Pbx

_PATIENCE: Final = 10.0


class Visit:
    """From login to `close`. LinkError from everything but that."""

    def __init__(self, guest: Guest, link: Link, news: asyncio.Event) -> None:
        self.guest, self._link, self._news = guest, link, news

    @classmethod
    async def begin(cls, pbx: Pbx, login: tuple[str, str]) -> "Visit":
        username, secret = login
        guest, news = Guest(username), asyncio.Event()
        link = await Link.open(
            pbx.host,
            pbx.port,
            tls=pbx.tls,
            username=username,
            secret=secret,
            sink=guest.heard.frame,
            flushed=news.set,
            patience=_PATIENCE,
        )
        guest.banner = link.banner
        visit = cls(guest, link, news)
        try:
            await visit._ask()
        except BaseException:
            link.close()
            raise
        return visit

    async def _ask(self) -> None:
        """Only what is allowed: a refusal is an entry in the security log of the PBX."""
        guest = self.guest
        await self._ping()
        commands = await self._link.ask("ListCommands", patience=_PATIENCE)
        guest.allowed = allowed(cast("Mapping[str, object]", commands)) if commands.success else None
        if guest.may("CoreSettings"):
            settings = await self._link.ask("CoreSettings", patience=_PATIENCE)
            guest.version = settings.get("asteriskversion") or None
        if guest.may("CoreShowChannels"):
            answers = await self._link.ask_list("CoreShowChannels", patience=_PATIENCE)
            listed = answers[-1].get("listitems", "")
            guest.channels = int(listed) if listed.isdecimal() else None

    async def listen(self, seconds: float, wanted: frozenset[str]) -> None:
        """Until events of all these classes were heard, or so long."""
        try:
            async with asyncio.timeout(seconds):
                while not wanted <= self.guest.heard.classes:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return

    async def leave(self) -> None:
        """Asterisk tells what has happened before it answers: nothing that others heard is still under way."""
        await self._link.ask("Ping", patience=_PATIENCE)

    def close(self) -> None:
        self._link.close()

    async def _ping(self) -> None:
        sent = datetime.now(UTC)
        pong = await self._link.ask("Ping", patience=_PATIENCE)
        self.guest.doubt = (datetime.now(UTC) - sent) / 2
        shown = moment(str(pong.get("timestamp", "")))
        self.guest.offset = shown - sent - self.guest.doubt if shown else None
