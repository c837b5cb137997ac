import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina.instrumentation

from ami_ingest import connection
from legbook.fakepbx import FakePbx
from tests.recorded import RING_GROUP
from tests.unit.ami_ingest.listening import SECRET, USERNAME

Start = Callable[..., Any]


class Impatient:
    """The real time, but nobody waits: a wrong login is answered at once."""

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(connection, "BEAT", 0.02)
    monkeypatch.setattr(connection, "HELD_FOR", 0.1)
    stamina.instrumentation.set_on_retry_hooks([])
    yield
    stamina.instrumentation.set_on_retry_hooks(None)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts fake PBXs, 100 s after their boot, that play flat out; stops them at the end."""
    async with AsyncExitStack() as stack:

        async def start_pbx(**settings: Any) -> FakePbx:
            given = {
                "username": USERNAME,
                "secret": SECRET,
                "speed": "flat",
                "time_source": Impatient(),
                **settings,
            }
            boot = given.pop("boot", datetime.now(UTC) - timedelta(seconds=100))
            return await stack.enter_async_context(FakePbx("hq", [RING_GROUP], boot=boot, **given))

        yield start_pbx


@pytest.fixture
async def pbx(start: Start) -> FakePbx:
    found: FakePbx = await start()
    return found
