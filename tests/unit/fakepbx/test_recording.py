import gzip
import re
from pathlib import Path

import pytest

from legbook.ami.message import Message
from legbook.fakepbx.moments import from_seconds
from legbook.fakepbx.recording import RecordedEvent, Recording, RecordingError, load
from tests.unit.fakepbx.samples import BEGIN, NAMES, RECORDINGS, SIMPLE, event, parsed, play, write

# Written without a look at the code under test: everything that names one call in these recordings
TOKEN = re.compile(
    r"(?:[a-z0-9]+-)?\b1[78]\d{8}\.\d+"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\[C-[0-9a-f]{8}\]"
    r"|\b[A-Za-z]+/[^,&|]+?-[0-9a-f]{8}\b"
)
TIMES = {"Timestamp", "SentNTP"}  # also look like a uniqueid


def tokens(events: list[RecordedEvent]) -> set[str]:
    return {
        token
        for item in events
        for name, value in item.fields
        if name not in TIMES
        for token in TOKEN.findall(value)
    }


def pairs(message: Message) -> list[tuple[str, str]]:
    return [
        (name, text)
        for name, value in message.fields.items()
        for text in (value if isinstance(value, list) else [value])
    ]


def mapping(recorded: Recording, messages: list[Message]) -> dict[str, str]:
    """Recorded -> fresh names; asserts that nothing else differs and that each name has one fresh one."""
    names: dict[str, str] = {}
    for was, message in zip(recorded.events, messages, strict=True):
        before = [(name, value) for name, value in was.fields if name != "Timestamp"]
        after = [(name, value) for name, value in pairs(message) if name != "Timestamp"]
        assert [name for name, _ in before] == [name for name, _ in after]
        for (name, old), (_, new) in zip(before, after, strict=True):
            if name in TIMES:
                continue
            assert TOKEN.sub("<>", old) == TOKEN.sub("<>", new)
            for token, fresh in zip(TOKEN.findall(old), TOKEN.findall(new), strict=True):
                assert names.setdefault(token, fresh) == fresh
    return names


@pytest.mark.parametrize("path", RECORDINGS, ids=NAMES)
def test_a_round_is_the_recording_under_other_names(path: Path) -> None:
    recorded = load(path)
    first, second = (
        mapping(recorded, parsed(events))
        for both in [play(recorded, rounds=2)]
        for events in (both[: len(recorded.events)], both[len(recorded.events) :])
    )
    used = tokens(list(recorded.events))
    assert first.keys() == second.keys() == used
    assert len(set(first.values())) == len(set(second.values())) == len(used)
    assert not set(first.values()) & set(second.values())
    assert not (set(first.values()) | set(second.values())) & used


@pytest.mark.parametrize("path", RECORDINGS, ids=NAMES)
def test_no_identity_of_the_recording_is_left(path: Path) -> None:
    recorded = load(path)
    text = b"".join(play(recorded)).decode()
    for token in tokens(list(recorded.events)):
        assert not re.search(rf"(?<![0-9a-zA-Z.]){re.escape(token)}(?!\d)", text), token


@pytest.mark.parametrize("path", RECORDINGS, ids=NAMES)
def test_every_event_carries_its_own_time_after_the_privilege(path: Path) -> None:
    recorded = load(path)
    for was, message in zip(recorded.events, parsed(play(recorded)), strict=True):
        assert list(message.fields)[:3] == ["Event", "Privilege", "Timestamp"]
        assert from_seconds(message.first("Timestamp")) == BEGIN + was.offset
        assert set(message.flags) <= ({"dup_header"} if was.name == "TestEvent" else set())


@pytest.mark.parametrize("path", RECORDINGS, ids=NAMES)
def test_the_sessions_own_events_are_left_out(path: Path) -> None:
    names = {item.name for item in load(path).events}
    assert names & {"Newchannel", "TestEvent"}
    assert not names & {"FullyBooted", "SuccessfulAuth", "CEL"}


def test_systemname_is_kept_and_the_epoch_is_the_clock_of_the_pbx() -> None:
    path = next(path for path in RECORDINGS if "22.10.1-pjsip-systemname" in str(path))
    uniqueids = {m.first("Uniqueid") for m in parsed(play(load(path)))} - {""}
    assert uniqueids == {f"pbx1-{BEGIN // 1_000_000}.{number}" for number in range(4)}


def test_times_are_those_of_the_pbx_where_it_sends_them(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r.jsonl",
        [
            {"t": 100.0, "banner": "Asterisk Call Manager/11.0.0"},
            event(101.5, "A", Uniqueid="1.1"),
            event(102.0, "B", Uniqueid="1.1", Timestamp="101.999999"),
        ],
    )
    assert [item.offset for item in load(path).events] == [1_500_000, 1_999_999]


def test_a_name_inside_a_longer_name_is_another_name(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r.jsonl",
        [
            event(
                1, "Newchannel", Channel="SIP/1-0000000a", Uniqueid="1795396084.4", Linkedid="1795396084.4"
            ),
            event(1, "Newchannel", Channel="SIP/11-0000000b", Uniqueid="1795396084.45"),
            event(
                1,
                "VarSet",
                Value="SIP/1-0000000a,SIP/11-0000000b;2 1795396084.45 x1795396084.4 /1795396084.4.wav",
            ),
            event(
                1, "VarSet", Value="1795396084.4567 1795396084.4.5 SIP/1-0000000abc SIP/12-0000000a 100% %b"
            ),
        ],
    )
    *_, third, fourth = (message.first("Value") for message in parsed(play(load(path))))
    assert third == "SIP/1-00100000,SIP/11-00100001;2 1800000000.1 x1795396084.4 /1800000000.0.wav"
    assert fourth == "1795396084.4567 1795396084.4.5 SIP/1-0000000abc SIP/12-0000000a 100% %b"


def test_lists_odd_texts_and_names_chosen_by_originate(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r.jsonl.gz",
        [
            event(
                1, "Newchannel", Channel="Local/7@x-0000000a;1", Uniqueid="my-id-1", CallerIDName="Jürgen: Öl"
            ),
            event(
                1,
                "LocalBridge",
                LocalOneChannel="Local/7@x-0000000a;1",
                LocalTwoChannel="Local/7@x-0000000a;2",
            ),
            event(1, "TestEvent", State=["a", "b"], Uniqueid="my-id-1", Linkedid="<unknown>"),
        ],
    )
    one, two, three = parsed(play(load(path)))
    assert one.first("CallerIDName") == "Jürgen: Öl"
    assert one.first("Uniqueid").startswith("my-id-1-")
    assert three.first("Uniqueid") == one.first("Uniqueid")
    assert three.first("Linkedid") == "<unknown>"
    assert three.fields["State"] == ["a", "b"]
    assert two.first("LocalOneChannel") == one.first("Channel") == "Local/7@x-00100000;1"
    assert two.first("LocalTwoChannel") == "Local/7@x-00100000;2"


def test_answers_to_actions_are_left_out_but_not_originate_response(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r.jsonl",
        [
            event(1, "CoreShowChannel", ActionID="rec-2", Uniqueid="1.1"),
            event(1, "OriginateResponse", ActionID="rec-3", Uniqueid="1.2"),
            {"t": 2, "event": {"Event": "CEL", "Privilege": "call,all"}},
            {"t": 2, "event": {"Event": "ChallengeSent", "Privilege": "security,all"}},
            {"t": 3, "closed": True},
        ],
    )
    assert [item.name for item in load(path).events] == ["OriginateResponse"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"t": 1, "banner": "x"}\n{"t": 1,\n', "line 2: not JSON"),
        (b'{"t": "1", "banner": "x"}\n', "line 1: an object with a number `t`"),
        (b"[1]\n", "line 1: an object with a number `t`"),
        (b'{"t": 1, "frame": "x"}\n', "line 1: one of banner, response, event, closed"),
        (b'{"t": 1, "event": {"Privilege": "call,all"}}\n', "line 1: an event is an object"),
        (b'{"t": 1, "event": {"Event": "A", "X": [1]}}\n', "line 1: X is neither a text"),
        (b'{"t": 1, "banner": "x"}\n', "without call events"),
        (b"", "without call events"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_what_is_no_recording_is_refused_by_file_and_line(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=re.escape(complaint)) as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b'{"t": 1, "banner": "x"}\n' * 50, mtime=0)[:-12], None]
)
def test_a_damaged_or_missing_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.jsonl.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordingError, match="cannot be read"):
        load(path)


def test_banner_and_version() -> None:
    recorded = load(SIMPLE)
    assert (recorded.banner, recorded.asterisk) == ("Asterisk Call Manager/5.0.4", "16.28.0")
