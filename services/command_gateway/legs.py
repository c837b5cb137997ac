"""What is known of the legs of one partition, and how old that knowledge is. Fed by the legs and the status topic."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import ConsumerRecord

from command_gateway.refusals import RefusedError
from legbook.contracts import codec
from legbook.contracts.codec import BadMessageError
from legbook.contracts.legs import Leg
from legbook.contracts.status import ProjectorStatus
from legbook.contracts.topics import LEGS

_log = structlog.get_logger("command_gateway")
MOST_ENDED: Final = 20_000
MOST_BEGUN: Final = 20_000
Key = tuple[str, int]


class Begun(NamedTuple):
    """A call that an Originate began: its first leg; of several (a number may ring many) the answered one."""

    leg_id: int
    answered: bool


class Legs:
    """A leg that is not known yet may still come: a page sees a row before the topic has it."""

    def __init__(self) -> None:
        self._live: dict[Key, Leg] = {}
        self._ended: OrderedDict[Key, None] = OrderedDict()
        self._begun: OrderedDict[tuple[str, str], Begun] = OrderedDict()  # by PBX and linkedid
        self._status: dict[str, ProjectorStatus] = {}
        self._news = asyncio.Event()

    def put(self, record: "ConsumerRecord[Any, Any]") -> None:
        try:
            if record.topic == LEGS.name:
                self._put_leg(_key(record.key), record.value)
            elif record.value is not None:
                self._put_status(codec.decode_status(record.value))
        except (BadMessageError, ValueError) as error:
            _log.warning("unreadable", topic=record.topic, offset=record.offset, why=str(error))

    def _put_leg(self, key: Key, value: bytes | None) -> None:
        if value is None:
            self._live.pop(key, None)
            self._ended[key] = None
            while len(self._ended) > MOST_ENDED:
                self._ended.popitem(last=False)
        else:
            self._live[key] = leg = codec.decode_leg(value)
            self._put_begun(leg)
        self._news.set()  # whoever waits looks again
        self._news = asyncio.Event()

    def _put_begun(self, leg: Leg) -> None:
        """The channel of an Originate is the first of its call: `linkedid_first` is the id we gave it."""
        call = leg.pbx, leg.linkedid_first
        known = self._begun.get(call)
        if leg.flags.originated and (known is None or leg.answered > known.answered):
            self._begun[call] = Begun(leg.leg_id, leg.answered)
            while len(self._begun) > MOST_BEGUN:
                self._begun.popitem(last=False)

    def _put_status(self, status: object) -> None:
        if isinstance(status, ProjectorStatus):
            known = self._status.get(status.pbx)
            if known is None or status.epoch >= known.epoch:
                self._status[status.pbx] = status

    def check_current(self, pbx: str, now: datetime, limit: float) -> None:
        """RefusedError if the projector is too far behind, or silent."""
        status = self._status.get(pbx)
        if status is None:
            raise RefusedError(
                "pbx_stale", f"nothing is known of the calls of {pbx}: does curcdr_projector run?"
            )
        behind = status.lag + max(0.0, (now - status.at).total_seconds())
        if behind > limit:
            raise RefusedError("pbx_stale", f"the calls of {pbx} are known as of {behind:.0f} s ago")

    def find(self, pbx: str, leg_id: int) -> Leg | None:
        """None: not known, maybe not yet. RefusedError if it is over."""
        if (pbx, leg_id) in self._ended:
            raise RefusedError("leg_ended", f"args.leg_id: leg {leg_id} of {pbx} is over")
        return self._live.get((pbx, leg_id))

    async def arrival(self, pbx: str, leg_id: int, good: Callable[[Leg], bool], patience: float) -> Leg:
        """The leg as soon as it is good, or as it is then. RefusedError if it does not come, or is over."""
        try:
            async with asyncio.timeout(patience):
                while (leg := self.find(pbx, leg_id)) is None or not good(leg):
                    await self._news.wait()
        except TimeoutError:
            leg = self.find(pbx, leg_id)
        if leg is None:
            raise RefusedError("unknown_leg", f"args.leg_id: no leg {leg_id} of {pbx}")
        return leg

    async def begun(self, pbx: str, uniqueid: str, patience: float) -> Begun | None:
        """The call whose first channel has this uniqueid, as soon as it is answered; as it is then, if ever seen."""
        try:
            async with asyncio.timeout(patience):
                while (found := self._begun.get((pbx, uniqueid))) is None or not found.answered:
                    await self._news.wait()
        except TimeoutError:
            return self._begun.get((pbx, uniqueid))
        return found


def _key(key: bytes | None) -> Key:
    pbx, _, leg_id = (key or b"").decode().partition("|")
    return pbx, int(leg_id)
