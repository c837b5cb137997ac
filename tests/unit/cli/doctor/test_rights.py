"""What an AMI user may do and hear: from what Asterisk let it see to a finding."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from legbook.ami.framing import Frame
from legbook.cli.doctor.finding import Finding, Level
from legbook.cli.doctor.guest import Guest, Heard
from legbook.cli.doctor.hearing import confirming, hearing
from legbook.cli.doctor.pbx import judged
from legbook.cli.doctor.rights import DIALLING, GATEWAY, INGEST, Role, gateway_of, writing
from legbook.runtime.fleet import Pbx, Policy

# As Asterisk 22 lists them
ACTIONS = {
    "Ping": "<none>",
    "CoreShowChannels": "system,reporting",
    "Hangup": "system,call",
    "Redirect": "call",
    "DBPut": "system",
    "Command": "command",
    "Originate": "originate",
    "UpdateConfig": "config",
    "GetConfig": "system,config",
    "UserEvent": "user",
    "QueueAdd": "agent",
}


def _guest(write: str, **more: object) -> Guest:
    held = {"<none>", *write.split(",")}
    allowed = {
        name: frozenset(classes.split(","))
        for name, classes in ACTIONS.items()
        if held & set(classes.split(","))
    }
    guest = Guest("legbook", allowed=allowed)
    for name, value in more.items():
        setattr(guest, name, value)
    return guest


def _heard(*events: str) -> Heard:
    """`name class`, stamped unless it ends in `-`."""
    heard = Heard()
    for name, classes in (event.split() for event in events):
        stamp = "" if classes.endswith("-") else "\r\nTimestamp: 1795916309.635686"
        heard.frame(Frame(f"Event: {name}\r\nPrivilege: {classes.rstrip('-')},all{stamp}".encode()))
    return heard


def _levels(findings: Iterable[Finding]) -> list[Level]:
    return [each.level for each in findings]


@pytest.mark.parametrize(
    ("role", "write", "levels", "seen"),
    [
        (INGEST, "reporting", [Level.ok], "what it needs and no more"),
        (GATEWAY, "call", [Level.ok], "what it needs and no more"),
        (INGEST, "agent", [Level.fail, Level.warn], "may not CoreShowChannels"),
        (INGEST, "", [Level.fail], "may not CoreShowChannels"),
        (GATEWAY, "reporting", [Level.fail], "may not Hangup"),
        (
            INGEST,
            "reporting,call",
            [Level.warn],
            "more than it needs: call; who steals its secret can hang up",
        ),
        (INGEST, "system,reporting", [Level.warn], "more than it needs: system;"),
        (INGEST, "reporting,user", [Level.warn], "more than it needs: user"),
        (DIALLING, "call,originate", [Level.ok], "what it needs and no more (write = call,originate)"),
        (DIALLING, "call", [Level.fail], "may not Originate: the policy"),
        (DIALLING, "call,originate,system", [Level.warn], "more than it needs: system;"),
        (GATEWAY, "call,originate", [Level.warn], "more than it needs: originate; who steals"),
        (GATEWAY, "call,command,config,system", [Level.warn], "needs: command, config, system;"),
    ],
)
def test_rights_to_act(role: Role, write: str, levels: list[Level], seen: str) -> None:
    findings = list(writing(role, _guest(write)))

    assert _levels(findings) == levels
    assert seen in findings[0].seen
    assert all(f"write = {role.classes}" in each.todo for each in findings if each.level is not Level.ok)


@pytest.mark.parametrize(
    ("policy", "role"),
    [
        (Policy(), GATEWAY),
        (Policy(contexts=["from-internal"]), GATEWAY),
        (Policy(endpoints=["PJSIP/201"]), GATEWAY),
        (Policy(contexts=["from-internal"], endpoints=["PJSIP/201"]), DIALLING),
    ],
)
def test_the_policy_says_whether_the_gateway_originates(policy: Policy, role: Role) -> None:
    assert gateway_of(Pbx(number=1, host="h", policy=policy)) is role


def test_a_pbx_that_cannot_list_actions_is_not_guessed_about() -> None:
    (finding,) = writing(INGEST, Guest("legbook"))

    assert finding.level is Level.warn
    assert "'manager show user legbook'" in finding.todo


BOOTED, CALL, DIALPLAN = "FullyBooted system-", "Newchannel call", "Newexten dialplan"


@pytest.mark.parametrize(
    ("events", "levels", "seen"),
    [
        ((BOOTED, CALL, DIALPLAN), [Level.ok, Level.ok], "hears call, dialplan, system"),
        ((BOOTED, CALL + "-", DIALPLAN + "-"), [Level.ok, Level.warn], "no Timestamp"),
        ((CALL, DIALPLAN), [Level.warn, Level.ok, Level.ok], "no FullyBooted"),
        ((BOOTED, CALL), [Level.warn, Level.ok], "none of class dialplan"),
        (
            (BOOTED,),
            [Level.warn],
            "no call event in 7 s, 3 channels up: a quiet PBX, or read = call is missing",
        ),
        ((BOOTED, DIALPLAN), [Level.warn, Level.ok], "no call event"),
    ],
)
def test_rights_to_hear(events: tuple[str, ...], levels: list[Level], seen: str) -> None:
    findings = list(hearing(_guest("reporting", heard=_heard(*events), channels=3), 7.0))

    assert _levels(findings) == levels
    assert seen in " | ".join(each.seen for each in findings)


def test_what_lists_answer_proves_no_right_to_hear() -> None:
    heard = Heard()
    heard.frame(Frame(b"Event: CoreShowChannel\r\nActionID: x\r\nChannel: PJSIP/201-1"))
    heard.frame(Frame(b"Response: Success\r\nPing: Pong\r\nTimestamp: 1795916309.635686"))

    assert (heard.classes, heard.names, heard.stamped) == (set(), set(), 0)


HANGUP = _heard("Hangup call")


@pytest.mark.parametrize(
    ("gateway", "ingest", "level", "seen"),
    [
        (HANGUP, HANGUP, Level.ok, "hears Hangup"),
        (HANGUP, None, Level.ok, "hears Hangup"),
        (_heard(), HANGUP, Level.fail, "did not hear a Hangup that ingest heard"),
        (_heard(), _heard(CALL), Level.ok, "could not be seen"),
        (_heard(), None, Level.ok, "could not be seen"),
    ],
)
def test_what_one_user_hears_is_held_against_the_other(
    gateway: Heard, ingest: Heard | None, level: Level, seen: str
) -> None:
    other = None if ingest is None else _guest("reporting", heard=ingest)
    finding = confirming(GATEWAY, _guest("call", heard=gateway), other)

    assert finding.level is level
    assert seen in finding.seen


@pytest.mark.parametrize(
    ("offset", "doubt", "level", "seen"),
    [
        (0.3, 0.001, Level.ok, "0.3 s ahead of ours"),
        (-0.3, 0.001, Level.ok, "0.3 s behind ours"),
        (2.5, 0.001, Level.warn, "2.5 s ahead of ours"),
        (-3600.0, 0.001, Level.warn, "3600.0 s behind ours"),
        (2.5, 1.0, Level.ok, "give or take 1.0 s"),
        (None, 0.0, Level.ok, "cannot be seen"),
    ],
)
def test_the_clock(offset: float | None, doubt: float, level: Level, seen: str) -> None:
    guest = _guest("reporting", doubt=timedelta(seconds=doubt))
    guest.offset = None if offset is None else timedelta(seconds=offset)

    (finding,) = (each for each in judged({INGEST: guest}, 1.0) if "clock" in each.seen)

    assert finding.level is level
    assert seen in finding.seen
