"""Which channels a PBX has: told in one piece, with a watermark by the clock of the events."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from ami_ingest import snapshot
from legbook.contracts.raw import SnapshotBegin, SnapshotChannel, SnapshotEnd, SnapshotItem
from legbook.fakepbx import Action, FakePbx, Session, Switch
from legbook.runtime.amilink import Link
from tests.unit.ami_ingest.conftest import Start
from tests.unit.ami_ingest.listening import QUICK, Listener, listening

NAMES = ["1700000000.1", "1700000000.2", "1700000000.3"]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "AGAIN", 0.01)


def begin_calls(pbx: FakePbx) -> None:
    for uniqueid in NAMES:
        snapshot_of = [("Channel", f"SIP/{uniqueid}"), ("ChannelState", "6"), ("Uniqueid", uniqueid)]
        pbx.emit("Newchannel", "call,all", snapshot_of)


def told(listener: Listener) -> list[tuple[list[str], bool]]:
    """Of each snapshot: uniqueids, complete."""
    found: list[tuple[list[str], bool]] = []
    names: list[str] = []
    for entry in listener.taker.entries:
        if isinstance(entry, SnapshotBegin):
            names = []
        elif isinstance(entry, SnapshotChannel):
            names.append(str(entry.fields["Uniqueid"]))
        elif isinstance(entry, SnapshotEnd):
            assert entry.channels == len(names)
            found.append((names, entry.complete))
    return found


async def test_after_each_login(pbx: FakePbx) -> None:
    begin_calls(pbx)
    async with listening(pbx.port) as listener:
        await listener.until(told)
        pbx.drop_sessions()
        await listener.until(lambda it: len(told(it)) == 2)

    assert told(listener) == [(NAMES, True)] * 2
    kinds = [type(entry) for entry in listener.taker.entries if "Snapshot" in type(entry).__name__]
    assert kinds == [SnapshotBegin, *[SnapshotChannel] * 3, *[SnapshotItem] * 3, SnapshotEnd] * 2
    assert listener.events == [], "the answers are no entries"


async def test_the_watermark_is_the_clock_of_the_pbx_before_the_list(start: Start) -> None:
    pbx: FakePbx = await start()
    before = pbx.now()
    async with listening(pbx.port) as listener:
        await listener.until(told)
    (begin,), (end,) = listener.of(SnapshotBegin), listener.of(SnapshotEnd)
    assert before < begin.watermark <= end.watermark <= pbx.now()


async def test_a_pbx_that_stamps_nothing_is_told_of_by_our_clock(start: Start) -> None:
    """It is 100 s behind: by its clock no channel that we heard of would ever be older than the watermark."""
    pbx: FakePbx = await start()
    async with listening(pbx.port) as listener:
        await listener.until(told)
        pbx.inject(b"Event: Unstamped\r\nA: b\r\n\r\n")
        await listener.until(lambda it: it.names == ["Unstamped"])
        asked = datetime.now(UTC)
        listener.connection.snapshots.ask(asked)
        await listener.until(lambda it: len(told(it)) == 2)
    first, second = listener.of(SnapshotBegin)
    assert asked - first.watermark > timedelta(seconds=90)
    assert timedelta(0) <= second.watermark - asked < timedelta(seconds=5)


async def test_when_the_projector_doubts_its_state_once(pbx: FakePbx) -> None:
    async with listening(pbx.port) as listener:
        await listener.until(told)
        doubt = pbx.now()
        listener.connection.snapshots.ask(doubt - timedelta(hours=1))
        listener.connection.snapshots.ask(doubt)
        await listener.until(lambda it: len(told(it)) == 2)
        listener.connection.snapshots.ask(doubt)
        pbx.emit("After", "call,all", [])
        await listener.until(lambda it: it.names == ["After"])
    assert len(told(listener)) == 2, "older than the last list: nothing to do"


async def test_at_intervals(pbx: FakePbx) -> None:
    often = QUICK.model_copy(update={"snapshot_interval": 0.05})
    async with listening(pbx.port, often) as listener:
        await listener.until(lambda it: len(told(it)) >= 3)


async def test_a_user_without_the_right_is_told_what_it_needs(pbx: FakePbx) -> None:
    async def refuse(_switch: Switch, session: Session, action: Action) -> None:
        session.error(action, "Permission denied")

    pbx.handlers["coreshowchannels"] = refuse
    with capture_logs() as logs:
        async with listening(pbx.port) as listener:
            await listener.until(lambda it: [line for line in logs if line["event"] == "snapshot refused"])
    (line,) = [line for line in logs if line["event"] == "snapshot refused"]
    assert (line["said"], line["hint"]) == ("Permission denied", "the AMI user needs write = reporting")
    assert told(listener) == []


async def test_what_is_not_answered_once_is_asked_again(
    pbx: FakePbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, ask_list, refused = pbx.handlers["coreshowchannels"], Link.ask_list, asyncio.Event()

    async def silent(_switch: Switch, _session: Session, _action: Action) -> None:
        refused.set()

    monkeypatch.setattr(
        Link, "ask_list", lambda link, name, *headers: ask_list(link, name, *headers, patience=0.1)
    )
    pbx.handlers["coreshowchannels"] = silent
    async with listening(pbx.port) as listener:
        await asyncio.wait_for(refused.wait(), 5)
        pbx.handlers["coreshowchannels"] = answer
        await listener.until(told)
        assert len(listener.ups) == 1, "the link is good, and stays"


@pytest.mark.parametrize("count", ["\N{SUPERSCRIPT TWO}", "9" * 5000, "", "-1"])
async def test_an_odd_count_costs_the_list_and_nothing_else(pbx: FakePbx, count: str) -> None:
    async def odd(_switch: Switch, session: Session, action: Action) -> None:
        session.reply(action, "Success", ("EventList", "start"), ("Message", "Channels will follow"))
        session.item(action, "CoreShowChannelsComplete", [("EventList", "Complete"), ("ListItems", count)])

    pbx.handlers["coreshowchannels"] = odd
    async with listening(pbx.port) as listener:
        await listener.until(told)
        assert listener.connection.up
    assert told(listener)[0] == ([], False)


async def test_a_list_that_is_not_as_long_as_asterisk_says_is_incomplete_and_asked_again(
    pbx: FakePbx,
) -> None:
    async def short(_switch: Switch, session: Session, action: Action) -> None:
        session.reply(action, "Success", ("EventList", "start"), ("Message", "Channels will follow"))
        session.item(action, "CoreShowChannel", [("Uniqueid", NAMES[0])])
        session.item(action, "CoreShowChannelsComplete", [("EventList", "Complete"), ("ListItems", "2")])

    pbx.handlers["coreshowchannels"] = short
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: len(told(it)) >= 2)
    assert set(map(str, told(listener))) == {str(([NAMES[0]], False))}
