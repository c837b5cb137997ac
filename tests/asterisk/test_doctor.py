"""`legbook doctor` in front of a real Asterisk 22: what it sees of rights is what manager.conf says."""

import asyncio
from collections.abc import Iterator

import pytest

from legbook.cli.doctor import pbx
from legbook.cli.doctor.finding import Finding, Level
from legbook.cli.doctor.visit import Visit
from legbook.runtime.fleet import AmiUser, Pbx, Policy
from tests.asterisk.installation import UnavailableError, cached_asterisk
from tests.asterisk.pbx import Asterisk
from tests.asterisk.phone import Call
from tests.asterisk.phonelog import What
from tests.asterisk.scenario import Phones, open_phones

pytestmark = pytest.mark.asterisk

SECRET = "s3cret"
USERS = f"""
[all]
secret = {SECRET}
read = all
write = all
[none]
secret = {SECRET}
read =
write =
[deaf]
secret = {SECRET}
read = system
write = reporting
[denied]
secret = {SECRET}
read = all
write = all
deny = 0.0.0.0/0.0.0.0
[once]
secret = {SECRET}
allowmultiplelogin = no
read = system
write = reporting
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """With more users than that of the other tests."""
    try:
        installation = cached_asterisk()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("doctor")
    made = Asterisk(installation, folder, ingest_secret=SECRET, gateway_secret=SECRET)
    with (folder / "etc/manager.conf").open("a") as manager:
        manager.write(USERS)
    with made:
        yield made


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCTOR_TEST_SECRET", SECRET)


def _place(asterisk: Asterisk, ingest: str, gateway: str) -> Pbx:
    users = (AmiUser(username=name, secret_env="DOCTOR_TEST_SECRET") for name in (ingest, gateway))
    return Pbx(
        number=1,
        host="127.0.0.1",
        port=asterisk.ami_port,
        ingest=next(users),
        gateway=next(users),
        policy=Policy(contexts=["from-internal"], endpoints=["PJSIP/2*"]),
    )


async def _seen(asterisk: Asterisk, ingest: str, gateway: str, seconds: float = 0.5) -> list[Finding]:
    place = _place(asterisk, ingest, gateway)
    return [finding async for finding in pbx.check("hq", place, seconds)]


def _told(findings: list[Finding], *levels: Level) -> list[str]:
    return [each.seen for each in findings if each.level in levels]


async def _calling(phones: Phones) -> Call:
    """203 answers at once."""
    phones["203"].answer_after = 0.1
    return await phones["201"].call("203")


async def test_least_rights_while_there_are_calls(own: Asterisk) -> None:
    async with open_phones(own) as phones:
        seen = asyncio.create_task(_seen(own, "legbook_ingest", "legbook_gateway", 20))
        while not seen.done():
            before = len(phones["201"].log.whats)
            call = await _calling(phones)
            await phones["201"].log.wait(What.ANSWERED, after=before)
            await call.hang_up()
        findings = await seen

    assert _told(findings, Level.fail, Level.warn) == []
    told = _told(findings, Level.ok)
    assert "ingest: may do what it needs and no more (write = reporting)" in told
    assert "gateway: may do what it needs and no more (write = call,originate)" in told
    assert "events carry their time (timestampevents = yes)" in told
    (heard,) = (each.removeprefix("ingest: hears ") for each in told if each.startswith("ingest: hears "))
    assert {"call", "dialplan", "system"} <= set(heard.split(", "))
    assert any(each.startswith(f"Asterisk {own.version.rpartition(':')[2]}") for each in told)
    assert any("s ahead of ours" in each or "s behind ours" in each for each in told)


async def test_all_rights_are_named(own: Asterisk) -> None:
    findings = await _seen(own, "all", "all")

    rich = [each for each in findings if "more than it needs" in each.seen]
    assert [each.level for each in rich] == [Level.warn, Level.warn]
    for finding, role in zip(rich, ("ingest", "gateway"), strict=True):
        assert finding.seen.startswith(f"{role}: may do more than it needs: ")
        for power in ("load modules", "type CLI commands", "rewrite configuration files"):
            assert power in finding.seen
    for power in ("hang up and transfer calls", "start calls"):
        assert power in rich[0].seen
        assert power not in rich[1].seen
    assert _told(findings, Level.fail) == []


async def test_no_rights(own: Asterisk) -> None:
    findings = await _seen(own, "none", "none")

    assert _told(findings, Level.fail) == [
        "ingest: may not CoreShowChannels: calls that it did not hear begin or end stay wrong",
        "gateway: may not Hangup: no command can hang up a leg",
        "gateway: may not Originate: the policy of the fleet file allows click-to-dial, the PBX does not",
    ]
    assert any("no FullyBooted" in each for each in _told(findings, Level.warn))


async def test_silence_proves_nothing(own: Asterisk) -> None:
    async with open_phones(own) as phones:
        call = await _calling(phones)
        (told,) = _told(await _seen(own, "deaf", "legbook_gateway", 1), Level.warn)
        await call.hang_up()

    assert "no call event in 1 s, 2 channels up: a quiet PBX, or read = call is missing" in told


async def test_refused(own: Asterisk) -> None:
    findings = await _seen(own, "denied", "nobody")

    assert [each.level for each in findings] == [Level.fail, Level.fail]
    assert all("Authentication failed" in each.seen and "permit" in each.todo for each in findings)


async def test_a_user_that_may_be_there_once(own: Asterisk) -> None:
    """As with allowmultiplelogin = no in [general], while ami_ingest runs."""
    there = await Visit.begin(_place(own, "once", "once"), ("once", SECRET))
    findings = await _seen(own, "once", "legbook_gateway")
    there.close()

    (refused,) = [each for each in findings if each.level is Level.fail]
    assert refused.seen.startswith("ingest: ")
    assert "allowmultiplelogin = yes" in refused.todo
