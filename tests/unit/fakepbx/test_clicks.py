"""An Originate begins a call with the ids that it asked for, beside whatever is played."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from legbook.ami.encode import encode, login
from legbook.ami.framing import Framer
from legbook.ami.message import Message, parse
from legbook.fakepbx import FakePbx
from tests.recorded import FIXTURES, RING_GROUP

ANSWERS = FIXTURES / "recordings/22.10.1-pjsip/15a-originate-success.jsonl.gz"


class Line:
    """One AMI connection of a test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer, self._framer = reader, writer, Framer()
        self.heard: list[Message] = []

    def originate(self, channel: str, **more: str) -> None:
        action = {"Action": "Originate", "ActionID": "mine-1", "Channel": channel, "Context": "from-internal"}
        action |= {"Exten": "90555123", "Priority": "1", "Async": "true", **more}
        self.writer.write(encode(action.items()))

    async def until(self, name: str, value: str) -> Message:
        """The first message from now on with this header."""
        async with asyncio.timeout(10):
            while True:
                for frame in self._framer.feed(await self._reader.read(65536)):
                    self.heard.append(parse(frame))
                for message in self.heard:
                    if message.first(name) == value:
                        self.heard = self.heard[self.heard.index(message) + 1 :]
                        return message


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with FakePbx("p", [RING_GROUP], username="u", secret="s", clicks=[ANSWERS], speed=20) as pbx:
        line = Line(*await asyncio.open_connection("127.0.0.1", pbx.port))
        line.writer.write(login("u", "s", "0"))
        await line.until("Message", "Authentication accepted")
        pbx.begin()
        yield line
        line.writer.close()


async def test_the_first_channel_has_the_id_that_was_asked_for(line: Line) -> None:
    line.originate("PJSIP/201", ChannelId="my-call")

    assert (await line.until("ActionID", "mine-1")).first("Message") == "Originate successfully queued"
    born = await line.until("Uniqueid", "my-call")
    assert (born.first("Event"), born.first("Linkedid")) == ("Newchannel", "my-call")
    told = await line.until("Event", "OriginateResponse")
    assert (told.first("ActionID"), told.first("Uniqueid"), told.first("Response")) == (
        "mine-1",
        "my-call",
        "Success",
    )


async def test_an_id_that_is_in_use_and_a_phone_that_is_not_there_call_nobody(line: Line) -> None:
    line.originate("PJSIP/201", ChannelId="my-call")
    await line.until("Uniqueid", "my-call")
    line.originate("PJSIP/201", ChannelId="my-call", ActionID="mine-2")
    line.originate("PJSIP/299", ActionID="mine-3")

    for action_id in ("mine-2", "mine-3"):
        assert (await line.until("ActionID", action_id)).first("Response") == "Success"
        told = await line.until("ActionID", action_id)
        assert (told.first("Event"), told.first("Response")) == ("OriginateResponse", "Failure")


async def test_what_asterisk_refuses_at_once(line: Line) -> None:
    line.originate("nonsense")
    assert (await line.until("ActionID", "mine-1")).first("Message") == "Invalid channel"
