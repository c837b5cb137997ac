"""`legbook explain`: every rule has its sentence, every outcome its reason; who asks wrongly is told what to do."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_struct
from typer.testing import CliRunner, Result

from legbook import calls
from legbook.cli import app
from legbook.cli.explain import _lived, _moment, _Reading, _wanted
from legbook.cli.history import Histories, histories_of
from legbook.cli.recordings import Placed
from legbook.cli.rulebook import sentence, sentences
from legbook.cli.why import why
from legbook.contracts.raw import Entry, Heartbeat
from tests.recorded import FIXTURES, PLAYED, RING_GROUP, entries, fold

RECORDINGS = FIXTURES / "recordings"

REASONS = [
    re.split(r" {2,}", line, maxsplit=2)
    for line in Path(__file__).with_name("reasons.txt").read_text().splitlines()
    if not line.startswith("#")
]


def _rules_put() -> set[str]:
    """Every text of the package that looks like a rule: `<module>.<number>`."""
    texts = [path.read_text() for path in Path(calls.__file__).parent.rglob("*.py")]
    return {found for text in texts for found in re.findall(r'"([a-z_]+\.[0-9]+)"', text)}


def test_every_rule_that_is_named_stands_in_its_module() -> None:
    named = _rules_put()

    assert named <= sentences().keys()
    assert "answers.1" in named
    assert sentence("talks.2") == "The same set again within 0.1 s is the same talk."


def test_the_recordings_meet_no_other_rule() -> None:
    met = {rule for path in PLAYED for change in fold(entries(path)).changes for rule in change.rules}

    assert met <= _rules_put()


@pytest.mark.parametrize(("name", "device", "text"), REASONS)
def test_the_reason(name: str, device: str, text: str) -> None:
    legs = histories_of(entries(RECORDINGS / f"{name}.jsonl.gz"), 1).legs

    (leg,) = [each for each in legs if (each.dstdevice or "-") == device and each.end_reason != "dialled"]
    assert why(leg, legs) == text


def _explain(*args: str) -> Result:
    return CliRunner().invoke(app, ["explain", str(RING_GROUP), *args])


def test_a_leg_from_its_first_event_to_its_reason() -> None:
    leg = histories_of(entries(RING_GROUP), 0).legs[0]
    result = _explain("--channel", leg.dstchan.lower())
    lines = result.output.splitlines()

    assert result.exit_code == 0
    assert lines[0] == f"Leg {leg.leg_id}: dial 2002 -> 1000 on 201, NO ANSWER"
    assert lines[2].split("  ")[1:] == ["Newchannel", leg.srcchan]
    assert "    channels.3     State 5 (Ringing) rings the leg that calls this channel." in lines
    assert "      state = ringing" in lines
    assert lines[-1] == "Why: NO ANSWER: 201's own Hangup came with cause 26 after 202 answered."


def test_as_json() -> None:
    leg = histories_of(entries(RING_GROUP), 0).legs[1]
    *steps, verdict = [
        json.loads(line) for line in _explain("--leg", str(leg.leg_id), "--json").output.splitlines()
    ]

    assert verdict["leg_id"] == leg.leg_id
    assert verdict["why"].startswith("ANSWERED: 202 was together with sipto45")
    assert [step["event"] for step in steps][-1] == "Hangup"
    assert steps[-1]["changed"]["disposition"] == "ANSWERED"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "say which one: --leg ID or --channel NAME"),
        (("--leg", "1", "--channel", "x"), "say which one: --leg ID or --channel NAME"),
        (("--channel", "x", "--at", "noon"), "--at: wanted 12:00:03 or 2026-11-24T12:00:03Z (UTC), not noon"),
        (("--leg", "1"), "no such leg among 3: legbook fold --json lists those of a file"),
    ],
)
def test_who_asks_wrongly_is_told_what_to_do(args: tuple[str, ...], said: str) -> None:
    result = _explain(*args)

    assert (result.exit_code, result.output) == (2, f"legbook explain: {said}\n")


def test_a_channel_of_several_legs_needs_a_time() -> None:
    legs = histories_of(entries(RING_GROUP), 0).legs
    several = _explain("--channel", legs[0].srcchan)

    assert several.exit_code == 2
    assert several.output.startswith("legbook explain: 3 legs: choose one with --leg or --at\n")
    end = legs[1].end
    assert end is not None
    one = _explain("--channel", legs[0].srcchan, "--at", end.strftime("%H:%M:%S.%f"))
    assert one.output.startswith(f"Leg {legs[1].leg_id}: ")


def test_without_a_file_a_pbx_is_needed() -> None:
    result = CliRunner().invoke(app, ["explain", "--leg", "1"])

    assert (result.exit_code, result.output) == (
        2,
        "legbook explain: say which PBX: --pbx NAME, or give a file\n",
    )


def test_the_pbxs_of_a_file_do_not_meet() -> None:
    """The same call on two PBXs: the legs of each are as alone."""
    alone = entries(RING_GROUP)
    both = [replace(each, pbx=pbx) for each in alone for pbx in ("hq", "branch")]
    histories = histories_of(both, 0)

    assert len(histories.legs) == 2 * len(histories_of(alone, 0).legs)
    (leg,) = [each for each in histories.legs if (each.pbx, each.dstdevice) == ("branch", "201")]
    assert len(histories.touches["branch", leg.leg_id]) == len(histories.touches["hq", leg.leg_id - 1])


@pytest.mark.parametrize(
    ("at", "lived"),
    [
        ("23:59:58", False), ("23:59:59", True), ("23:59:59.4", False), ("00:00:00.500", True), ("00:00:01", True),
        ("00:00:02", False), ("12:00:00", False), ("2026-11-25T00:00:00.5", True),
        ("2026-11-25T01:00:00.5+01:00", True), ("2026-11-24T00:00:00.5", False),
    ],
)  # fmt: skip
def test_when_a_leg_over_midnight_lived(at: str, *, lived: bool) -> None:
    born = datetime(2026, 11, 24, 23, 59, 59, 500_000, tzinfo=UTC)
    leg = replace_struct(
        histories_of(entries(RING_GROUP), 0).legs[0], born=born, end=born + timedelta(seconds=2)
    )

    assert _lived(leg, _moment(at)) is lived


def _time(entry: Entry) -> datetime:
    time = entry.at or entry.received_at
    assert time is not None
    return time


def _long_call(longer: timedelta) -> list[Placed]:
    """The ring group, but all that comes a second after the answer comes so much later; a heartbeat a minute."""
    recorded = entries(RING_GROUP)
    answer = histories_of(recorded, 1).legs[1].answer
    assert answer is not None
    told = [each.entry for each in recorded]
    late = {entry.seq for entry in told if _time(entry) > answer + timedelta(seconds=1)}
    told = [replace_struct(entry, at=_time(entry) + longer) if entry.seq in late else entry for entry in told]
    beats = (answer + timedelta(minutes=n) for n in range(1, 60))
    told += [Heartbeat(seq=1, at=at, received_at=at, state="up") for at in beats]
    told.sort(key=_time)
    return [
        Placed("hq", 1, recorded[-1].boot, replace_struct(entry, seq=n)) for n, entry in enumerate(told, 1)
    ]


@pytest.mark.parametrize("minutes", [0, 9, 25])
@pytest.mark.parametrize("channel", [False, True])
def test_the_topic_is_read_until_the_leg_has_been_over_for_ten_minutes(
    minutes: int, *, channel: bool
) -> None:
    longer = timedelta(minutes=minutes)
    told = _long_call(longer)
    _, leg, _ = histories_of(told, 1).legs
    assert leg.end is not None
    assert leg.ring is not None
    _, recorded, _ = histories_of(entries(RING_GROUP), 1).legs
    assert leg.end == (recorded.end or leg.end) + longer
    wanted = _wanted(None, leg.dstchan, leg.ring.isoformat()) if channel else _wanted(leg.leg_id, None, None)

    reading = _Reading("hq", wanted, Histories(1))
    for each in told:
        reading.take(each)

    assert reading.enough.is_set()
    assert wanted.among(reading.histories.legs) == [leg]
    over = leg.end + timedelta(minutes=10)
    assert _time(told[reading.entries - 2].entry) < over <= _time(told[reading.entries - 1].entry)
