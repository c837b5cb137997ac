from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from legbook.fakepbx import FakePbx
from tests.scenarios.fakepbx.client import SECRET, USERNAME
from tests.unit.fakepbx.handtime import HandTime
from tests.unit.fakepbx.samples import RING_GROUP

BOOT = datetime(2027, 1, 15, 8, tzinfo=UTC)
Start = Callable[..., Any]


@pytest.fixture
def time() -> HandTime:
    return HandTime()


@pytest.fixture
async def start(time: HandTime) -> AsyncIterator[Start]:
    """Starts PBXs with the time of the test, and stops them at its end."""
    async with AsyncExitStack() as stack:

        async def start_pbx(recordings: list[Path] | None = None, **settings: Any) -> FakePbx:
            given = {"username": USERNAME, "secret": SECRET, "boot": BOOT, "time_source": time, **settings}
            return await stack.enter_async_context(FakePbx("hq", recordings or [RING_GROUP], **given))

        yield start_pbx
