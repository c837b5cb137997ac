from pathlib import Path

import pytest

from legbook.ami.message import Message
from legbook.fakepbx.hangup import Hangup, after_hangup
from legbook.fakepbx.lives import lives
from legbook.fakepbx.recording import Recording, load
from tests.unit.fakepbx.courses import (
    Course,
    assert_sound,
    assert_true,
    called,
    caller,
    moments,
    played,
    winner,
)
from tests.unit.fakepbx.samples import NAMES, RECORDINGS, event, recording, write

SECOND = 1_000_000
PLAIN = [
    (p, n) for p, n in zip(RECORDINGS, NAMES, strict=True) if n.split("/")[1][:3] in {"01-", "06-", "07-"}
]
plain = pytest.mark.parametrize("path", [path for path, _ in PLAIN], ids=[name for _, name in PLAIN])
answered = pytest.mark.parametrize(
    "path", [p for p, n in PLAIN if "/07" not in n], ids=[n for _, n in PLAIN if "/07" not in n]
)
groups = pytest.mark.parametrize(
    "path", [p for p, n in PLAIN if "/06" in n], ids=[n for _, n in PLAIN if "/06" in n]
)
ENDS = ("DialEnd", "BridgeLeave", "SoftHangupRequest", "Hangup")
LIFE = ("Newchannel", "DialBegin", "DialEnd", "BridgeEnter", "BridgeLeave", "Hangup")


def names(messages: list[Message]) -> list[str]:
    return [message.first("Event") for message in messages]


def is_sip(recorded: Recording) -> bool:
    return "chan_sip" in recorded.path.parent.name


def ringing(recorded: Recording) -> int:
    """A moment at which all phones ring."""
    return max(life.ring or 0 for life in lives(recorded.templates).values()) + SECOND // 2


def talking(recorded: Recording) -> int:
    return max(life.answer or 0 for life in lives(recorded.templates).values()) + SECOND


def cause(course: Course, recorded: str) -> str:
    (hangup,) = course.about(recorded, "Hangup")
    return hangup.first("Cause")


@plain
@pytest.mark.parametrize("asked", [None, 17], ids=["", "cause"])
def test_any_channel_at_any_moment(path: Path, asked: int | None) -> None:
    recorded = load(path)
    tried = 0
    for uid in [caller(recorded), *called(recorded)]:
        for at in moments(recorded, uid):
            course = played(recorded, Hangup(uid, at, asked))
            assert_sound(course)
            assert_true(course)
            tried += 1
    assert tried > 10


@plain
def test_one_after_the_other(path: Path) -> None:
    """Every pair of channels, the second while the first one's end is still being said, and long after it."""
    recorded = load(path)
    everybody = [caller(recorded), *called(recorded)]
    for first in everybody:
        for second in everybody:
            for later in (1, 1_500, SECOND // 2):
                hangups = [Hangup(first, ringing(recorded), None)]
                course = played(recorded, *hangups)
                if second != first and (course.lives[second].end or 0) > ringing(recorded) + later:
                    course = played(recorded, *hangups, Hangup(second, ringing(recorded) + later, 34))
                assert_sound(course)
                assert_true(course)


@plain
def test_a_ringing_phone_loses_its_own_channel_only(path: Path) -> None:
    recorded = load(path)
    for uid in called(recorded):
        course = played(recorded, Hangup(uid, ringing(recorded), None))
        own = [message for message in course.about(uid) if message in course.caused]
        assert names(own) == ["DialEnd", "Hangup"]
        assert own[0].first("DialStatus") == "NOANSWER"
        assert own[0].first("DestChannelStateDesc") == own[1].first("ChannelStateDesc") == "Ringing"
        assert own[1].first("Cause") == ("16" if is_sip(recorded) else "0")
        assert names(course.caused)[:2] == names(own)
        for other in set(called(recorded)) - {uid, winner(recorded)}:
            assert names(course.about(other, *ENDS)) == ["DialEnd", "Hangup"]


@groups
def test_the_others_go_on_as_recorded(path: Path) -> None:
    recorded = load(path)
    loser = next(uid for uid in called(recorded) if uid != winner(recorded))
    course, before = played(recorded, Hangup(loser, ringing(recorded), None)), lives(recorded.templates)
    for uid in {caller(recorded), *called(recorded)} - {loser}:
        life = course.lives[uid]
        was = before[uid]
        assert (life.answer, life.talk_end, life.end, life.cause, life.status) == (
            was.answer, was.talk_end, was.end, was.cause, was.status
        )  # fmt: skip


@groups
def test_without_the_one_who_would_have_answered_the_others_ring_until_the_caller_gives_up(
    path: Path,
) -> None:
    recorded = load(path)
    first = winner(recorded)
    assert first is not None
    course, before = played(recorded, Hangup(first, ringing(recorded), None)), lives(recorded.templates)
    end = before[first].talk_end
    assert end is not None
    assert not {"BridgeCreate", "BridgeEnter", "BridgeLeave"} & set(names(course.messages))
    for uid in set(called(recorded)) - {first}:
        life = course.lives[uid]
        assert life.status == "CANCEL"
        assert cause(course, uid) == ("16" if is_sip(recorded) else "127")
        assert end - 50_000 < (life.end or 0) < end + 50_000
    assert cause(course, caller(recorded)) == ("0" if is_sip(recorded) else "127")
    assert {leg.disposition for leg in course.truth} == {"NO ANSWER"}


@plain
def test_when_nobody_rings_any_more_the_dialplan_ends_the_caller_at_once(path: Path) -> None:
    recorded = load(path)
    begin = ringing(recorded)
    hangups = [Hangup(uid, begin + i * 100_000, None) for i, uid in enumerate(called(recorded))]
    course = played(recorded, *hangups)
    assert_sound(course)
    assert_true(course)
    (end,) = course.about(caller(recorded), "Hangup")
    assert course.lives[caller(recorded)].end in range(hangups[-1].at, hangups[-1].at + 50_000)
    assert end.first("Cause") == "16"
    assert end.first("ChannelStateDesc") == "Ring"


@plain
@pytest.mark.parametrize("asked", [None, 21], ids=["", "cause"])
def test_a_caller_who_is_hung_up_while_phones_ring_cancels(path: Path, asked: int | None) -> None:
    recorded = load(path)
    at = ringing(recorded)
    course = played(recorded, Hangup(caller(recorded), at, asked))
    for uid in called(recorded):
        assert names(course.about(uid, *ENDS)) == ["DialEnd", "Hangup"]
        assert course.lives[uid].status == "CANCEL"
        assert cause(course, uid) == ("16" if is_sip(recorded) else str(asked or 0))
    assert cause(course, caller(recorded)) == str(asked or 0)
    assert names(course.about(caller(recorded), *ENDS)) == ["SoftHangupRequest", "Hangup"]
    assert all(at <= (life.end or 0) < at + 50_000 for life in course.lives.values())
    assert set(names(course.caused)) <= {*ENDS, "Cdr", "DeviceStateChange"}


@answered
@pytest.mark.parametrize("side", ["caller", "called"])
@pytest.mark.parametrize("asked", [None, 21], ids=["", "cause"])
def test_either_side_of_a_talk_ends_it(path: Path, side: str, asked: int | None) -> None:
    recorded = load(path)
    one, other = caller(recorded), winner(recorded)
    assert other is not None
    at = talking(recorded)
    course, before = played(recorded, Hangup(one if side == "caller" else other, at, asked)), played(recorded)
    for uid in (one, other):
        assert cause(course, uid) == str(asked or 16)
        assert course.lives[uid].end in range(at, at + 50_000)
    for uid in set(called(recorded)) - {other}:
        assert [m.fields for m in course.about(uid)] == [m.fields for m in before.about(uid)]
    leg = next(leg for leg in course.truth if leg.dstuid == course.uid(other))
    assert (leg.disposition, leg.cause) == ("ANSWERED", str(asked or 16))
    assert 0.99 < leg.billsec < 1.05


@groups
def test_what_still_rings_when_a_talk_is_ended_ends_as_recorded(path: Path) -> None:
    """In the milliseconds between the answer and the end of the other phones."""
    recorded = load(path)
    before = lives(recorded.templates)
    first = winner(recorded)
    assert first is not None
    at = (before[first].up or 0) + 1
    course = played(recorded, Hangup(first, at, None))
    assert_sound(course)
    for uid in set(called(recorded)) - {first}:
        assert (course.lives[uid].status, course.lives[uid].cause) == ("CANCEL", "26")
        assert (course.lives[uid].end or 0) < at + 50_000


@pytest.mark.parametrize("profile", ["16.28.0-chan_sip", "22.10.1-pjsip"])
def test_as_in_the_real_hang_up_of_a_talk(profile: str) -> None:
    """17a: the caller's channel, one second after the answer, with cause 16."""
    real, recorded = (
        played(load(recording(f"{profile}/17a-ami-hangup-answered"))),
        load(recording(f"{profile}/01-simple-answered")),
    )
    course = played(recorded, Hangup(caller(recorded), talking(recorded), 16))
    theirs = [caller(real.playing.recording), *called(real.playing.recording)]
    ours = [caller(recorded), *called(recorded)]
    for uid, real_uid in zip(ours, theirs, strict=True):
        assert names(course.about(uid, *LIFE)) == names(real.about(real_uid, *LIFE))
        for message, true in zip(course.about(uid, *ENDS), real.about(real_uid, *ENDS), strict=True):
            assert list(message.fields) == list(true.fields)
            for header in ("Event", "ChannelStateDesc", "DialStatus", "Cause", "Cause-txt", "Exten"):
                assert message.first(header) == true.first(header)
    ((cdr,), (true,)) = ([m for m in each.messages if m.first("Event") == "Cdr"] for each in (course, real))
    for header in ("Disposition", "BillableSeconds", "Destination", "LastApplication"):
        assert cdr.first(header) == true.first(header)


def test_as_in_the_real_hang_up_of_a_ringing_phone() -> None:
    """17b: 201 of the group, without a cause; 202 answers later."""
    real = played(load(recording("16.28.0-chan_sip/17b-ami-hangup-ringing-leg")))
    recorded = load(recording("16.28.0-chan_sip/06-ringgroup-202-answers"))
    course = played(recorded, Hangup(called(recorded)[0], ringing(recorded), None))
    theirs = [caller(real.playing.recording), *called(real.playing.recording)]
    for uid, real_uid in zip([caller(recorded), *called(recorded)], theirs, strict=True):
        assert names(course.about(uid, *LIFE)) == names(real.about(real_uid, *LIFE))
        for message, true in zip(course.about(uid, *ENDS), real.about(real_uid, *ENDS), strict=True):
            assert list(message.fields) == list(true.fields)
            for header in ("Event", "ChannelStateDesc", "DestChannelStateDesc", "DialStatus", "Cause"):
                assert message.first(header) == true.first(header)


@pytest.mark.parametrize(
    ("asked", "status", "disposition"),
    [(None, "NOANSWER", "NO ANSWER"), (17, "BUSY", "BUSY"), (34, "CONGESTION", "FAILED"),
     (20, "CHANUNAVAIL", "FAILED"), (19, "NOANSWER", "NO ANSWER"), (21, "NOANSWER", "BUSY")],
)  # fmt: skip
def test_the_status_of_a_dial_follows_the_cause(asked: int | None, status: str, disposition: str) -> None:
    recorded = load(recording("22.10.1-pjsip/06-ringgroup-202-answers"))
    uid = called(recorded)[0]
    course = played(recorded, Hangup(uid, ringing(recorded), asked))
    assert course.lives[uid].status == status
    assert next(leg for leg in course.truth if leg.dstuid == course.uid(uid)).disposition == disposition
    assert_true(course)


def cdrs(course: Course) -> dict[str, tuple[str, str, str]]:
    return {
        message.first("DestinationChannel").rpartition("-")[0].rpartition("/")[2]: (
            message.first("Disposition"), message.first("Duration"), message.first("BillableSeconds")
        )
        for message in course.messages
        if message.first("Event") == "Cdr"
    }  # fmt: skip


def test_cdrs_tell_what_happened_now() -> None:
    recorded = load(recording("22.10.1-pjsip/06-ringgroup-202-answers"))
    assert cdrs(played(recorded)) == {
        "201": ("NO ANSWER", "2", "0"),
        "202": ("ANSWERED", "6", "4"),
        "203": ("NO ANSWER", "2", "0"),
        "": ("ANSWERED", "0", "0"),
    }
    ended = played(recorded, Hangup(caller(recorded), talking(recorded), None))
    assert (
        cdrs(ended) | {"202": ("ANSWERED", "3", "1")}
        == cdrs(ended)
        == cdrs(played(recorded)) | {"202": ("ANSWERED", "3", "1")}
    )
    cancelled = played(recorded, Hangup(caller(recorded), ringing(recorded) + SECOND, None))
    assert cdrs(cancelled) == {
        "201": ("NO ANSWER", "1", "0"),
        "202": ("NO ANSWER", "1", "0"),
        "203": ("NO ANSWER", "1", "0"),
        "": ("NO ANSWER", "0", "0"),
    }
    for message in cancelled.messages:
        if message.first("Event") == "Cdr":
            assert message.first("AnswerTime") == ""
            assert message.first("EndTime") >= message.first("StartTime")


def test_a_channel_that_is_gone_changes_nothing() -> None:
    recorded = load(recording("22.10.1-pjsip/06-ringgroup-202-answers"))
    gone = Hangup(called(recorded)[0], talking(recorded), None)
    done = sum(each.offset <= gone.at for each in recorded.templates)
    assert after_hangup(recorded, recorded.templates, done, gone) == recorded.templates


def test_a_recording_that_stops_too_early_cannot_say_how_a_channel_ends(tmp_path: Path) -> None:
    rows = [event(1, "Newchannel", Channel="SIP/1-0000000a", Uniqueid="1.1", ChannelState="4"), event(9, "X")]
    recorded = load(write(tmp_path / "r.jsonl", rows))
    assert after_hangup(recorded, recorded.templates, 1, Hangup("1.1", SECOND, None)) is None


@pytest.mark.parametrize("path", RECORDINGS, ids=NAMES)
def test_every_recording_stays_sound(path: Path) -> None:
    """Queues and Local channels too, though more than one hang-up of theirs is told in a simple way."""
    recorded = load(path)
    everybody = [uid for uid, life in lives(recorded.templates).items() if life.end is not None]
    for uid in everybody:
        for at in moments(recorded, uid, most=6):
            assert_sound(played(recorded, Hangup(uid, at, None)))
