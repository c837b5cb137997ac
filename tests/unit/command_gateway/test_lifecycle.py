"""What only an owner may decide: to send, and to refuse. What it lost before it was committed never happened."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from msgspec.structs import replace

from command_gateway.legs import Legs
from command_gateway.lifecycle import Lifecycle, Taken
from command_gateway.reading import Envelope
from command_gateway.refusals import RefusedError
from command_gateway.results import Results
from command_gateway.settings import Settings
from legbook.contracts import codec, examples
from legbook.contracts.commands import CommandResult
from legbook.runtime.kafka import Record
from legbook.runtime.ownership import LostError


class Owner:
    """Of a partition; while `fenced`, as the broker sees it, somebody else is."""

    def __init__(self) -> None:
        self.fenced = False
        self.written: list[CommandResult] = []

    async def write(self, records: list[Record], patience: float = 5.0) -> None:
        if self.fenced:
            raise LostError("fenced")
        self.written += [codec.decode_result(record.value or b"") for record in records]


class Life:
    def __init__(self) -> None:
        self.owner = Owner()
        self.results = Results(cast("Any", None), 0)
        self.lifecycle = Lifecycle(Settings(), cast("Any", self.owner), self.results, Legs(), {})
        self.settled: list[str] = []

    def refuse(self, command_id: str) -> None:
        envelope = Envelope(command_id, "hq", "d" * 64, "hangup")
        taken = Taken(envelope, 0.0, lambda: self.settled.append(command_id))
        self.lifecycle.refuse(taken, RefusedError("leg_ended", "it is over"))

    async def send(self) -> None:
        """Until nothing waits, or the partition is lost."""
        sending = asyncio.create_task(self.lifecycle.send())
        while self.lifecycle._waiting and not sending.done():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])
        if not sending.cancelled():
            sending.result()


async def test_a_refusal_is_on_record_before_its_offset_is_done() -> None:
    life = Life()
    life.refuse("a")
    assert (life.settled, list(life.lifecycle.under_way)) == ([], ["a"])

    await life.send()

    (result,) = life.owner.written
    assert (result.command_id, result.state, result.reason) == ("a", "rejected", "leg_ended")
    assert life.settled == ["a"]
    assert life.lifecycle.under_way == {}
    assert life.results.get("a") == result


async def test_a_gateway_that_was_asleep_cannot_refuse_what_another_has_done() -> None:
    life = Life()
    life.refuse("a")
    life.refuse("b")
    life.owner.fenced = True
    with pytest.raises(LostError):
        await life.send()
    assert (life.settled, life.results.get("a")) == ([], None)

    life.owner.fenced = False  # the partition is ours again
    done = replace(examples.RESULT, command_id="a", at=datetime.now(UTC))
    life.results.load({b"a": codec.encode(done)})
    await life.send()

    assert [result.command_id for result in life.owner.written] == ["b"]
    assert sorted(life.settled) == ["a", "b"]
    assert life.results.get("a") == done


async def test_more_than_one_transaction_holds() -> None:
    life = Life()
    ids = [f"c{number}" for number in range(120)]
    for each in ids:
        life.refuse(each)

    await life.send()

    assert [result.command_id for result in life.owner.written] == ids
    assert life.settled == ids
