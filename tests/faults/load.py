"""A PBX under load: calls of all kinds that the fold is exact for, and the moment in which it falls silent."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from legbook.calls.legs import CALLER_RETURNS
from legbook.demo.world import GATEWAY, SECRET, USERNAME
from legbook.fakepbx import FakePbx
from legbook.fakepbx.moments import to_datetime
from tests.recorded import PLAYED, RECORDINGS

CALLS_A_SECOND: Final = 20  # of all PBXs; they last for 1 to 10 s
# Which row its caller has after a hang-up, when a queue rings one by one, is not known to the fake PBX
CALLS: Final = [path for path in PLAYED if not path.name.startswith("13-")]
_CLICKED: Final = ("15a-originate-success", "15b-originate-agent-noanswer", "15c-originate-agent-busy")
CLICKS: Final = ("PJSIP/201", "SIP/201")
EXTEN: Final = "90555123"


def pbx_under_load(name: str, port: int, calls_a_second: float) -> FakePbx:
    """For ever, once it is told to begin; phones that are rung answer, or do not, by turns."""
    return FakePbx(
        name,
        CALLS,
        username=USERNAME,
        secret=SECRET,
        others=[GATEWAY],
        port=port,
        rounds=None,
        spacing=1 / calls_a_second,
        clicks=[path for path in RECORDINGS if path.name.startswith(_CLICKED)],
    )


def alive(pbx: FakePbx) -> int:
    return len(pbx.truth.live(pbx.now()))


async def fall_silent(pbx: FakePbx) -> datetime:
    """Says what is due and nothing more; its links stay up, the calls stay as they are. The moment of that."""
    while True:
        assert pbx._stage._timeline is not None
        assert pbx._player is not None
        moment = to_datetime(pbx._stage._catch_up(pbx._stage._timeline))
        if not _coming_back(pbx, moment):
            pbx._player.cancel()
            return moment
        await asyncio.sleep(0.02)


def _coming_back(pbx: FakePbx, moment: datetime) -> bool:
    """A caller is in no leg and will be in one by nothing but the time: later the truth is another one."""
    since = moment - timedelta(seconds=CALLER_RETURNS + 0.1)
    left = {leg.srcuid for leg in pbx.truth.finished(moment) if leg.end > since}
    idle = left - {leg.srcuid for leg in pbx.truth.live(moment)}
    return any(uid in pbx.channels.live for uid in idle if uid)
