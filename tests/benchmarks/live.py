"""The fold with many calls alive: time an event takes, and the size of a checkpoint."""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

from legbook.calls import PbxState
from legbook.contracts.raw import Event

BEGIN = datetime(2026, 11, 24, tzinfo=UTC)
CHANNELS = (10, 100, 1_000, 5_000)
CALLS = 300  # that begin and end beside those that go on


class Pbx:
    """One whose calls can be begun and ended one by one."""

    def __init__(self) -> None:
        self.state, self._seq = PbxState("hq", 1, ("from-trunk",)), 0

    def say(self, name: str, **fields: str) -> None:
        self._seq += 1
        at = BEGIN + timedelta(milliseconds=2 * self._seq)
        said: dict[str, str | list[str]] = {
            "Event": name,
            "Context": "from-internal",
            "CallerIDNum": "201",
            **fields,
        }
        self.state.apply(Event(seq=self._seq, at=at, received_at=at, name=name, fields=said), epoch=1)

    def begin(self, call: int) -> None:
        """201 calls 202, who answers."""
        one, two = _ends(call)
        self.say("Newchannel", ChannelState="4", Exten="202", **one)
        self.say("Newchannel", ChannelState="0", **two)
        dest = {f"Dest{name}": value for name, value in two.items()}
        self.say("DialBegin", Exten="202", DialString="202", **one, **dest)
        self.say("Newstate", ChannelState="5", **two)
        self.say("Newstate", ChannelState="6", **two)
        self.say("DialEnd", DialStatus="ANSWER", **one, **dest)
        for end in (two, one):
            self.say("BridgeEnter", BridgeUniqueid=f"b{call}", BridgeType="basic", **end)

    def end(self, call: int) -> None:
        for end in _ends(call):
            self.say("BridgeLeave", BridgeUniqueid=f"b{call}", **end)
            self.say("Hangup", Cause="16", **end)


def _ends(call: int) -> tuple[dict[str, str], dict[str, str]]:
    one, two = f"1795396000.{2 * call}", f"1795396000.{2 * call + 1}"
    return (
        {"Channel": f"PJSIP/201-{2 * call:08x}", "Uniqueid": one, "Linkedid": one},
        {"Channel": f"PJSIP/202-{2 * call + 1:08x}", "Uniqueid": two, "Linkedid": one},
    )


def _with(channels: int) -> Pbx:
    pbx = Pbx()
    for call in range(channels // 2):
        pbx.begin(call)
    return pbx


def _times() -> Iterator[tuple[int, float]]:
    """(live channels, seconds an event)."""
    for channels in CHANNELS:
        pbx, seconds = _with(channels), list[float]()
        for call in range(channels, channels + CALLS):
            began = time.perf_counter()
            pbx.begin(call)
            pbx.end(call)
            seconds.append((time.perf_counter() - began) / 12)
        yield channels, median(seconds)


def live() -> None:
    times = dict(_times())
    told = ", ".join(f"{n:,}: {seconds / times[10]:.1f}" for n, seconds in times.items())
    sys.stdout.write(f"bench: fold      live channels: time an event takes, beside 10 of them: {told}\n")
    for channels in (1_000, 50_000):
        pbx = _with(channels)
        began = time.perf_counter()
        data = pbx.state.dump()
        seconds = time.perf_counter() - began
        sys.stdout.write(
            f"bench: checkpoint {channels:,} live channels: {1000 * seconds:.1f} ms, {len(data) / 1000:,.0f} kB\n"
        )
    sys.stdout.flush()


if __name__ == "__main__":
    live()
