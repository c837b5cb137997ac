"""Which advisories a version has, by branch."""

import pytest

from legbook.cli.doctor.asterisk import ADVISORIES, judged
from legbook.cli.doctor.finding import Level

AMI_OVER_HTTP = "GHSA-3rhj-hhw7-m6fw"


def _hits(said: str) -> set[str]:
    return {each.name for each in ADVISORIES if each.name in judged(said).seen}


@pytest.mark.parametrize(
    ("said", "level", "name", "todo"),
    [
        ("22.10.1", Level.ok, None, ""),
        ("22.10.1+dfsg+~cs6.17.60671434-1", Level.ok, None, ""),
        ("22.11.0-rc1", Level.ok, None, ""),
        ("24.0.0", Level.ok, None, ""),
        ("22.10.0", Level.warn, AMI_OVER_HTTP, "22.10.1"),
        ("22.4.0", Level.warn, "CVE-2025-47780", "22.10.1"),
        ("20.9.1", Level.warn, "CVE-2024-42365", "20.20.1"),
        ("18.26.4", Level.warn, AMI_OVER_HTTP, "branch 18 gets no cure any more"),
        ("16.28.0~dfsg-0+deb11u4", Level.warn, "CVE-2023-49294", "branch 16 gets no cure any more"),
        ("certified-20.7-cert4", Level.ok, None, "advisories of asterisk/asterisk"),
        ("GIT-master-1234", Level.ok, None, "advisories of asterisk/asterisk"),
    ],
)
def test_a_version_has_the_holes_that_its_branch_had_then(
    said: str, level: Level, name: str | None, todo: str
) -> None:
    finding = judged(said)

    assert finding.level is level
    assert said in finding.seen
    assert todo in finding.todo
    assert (name in finding.seen) if name else not _hits(said)


def test_the_first_release_with_the_cure_does_not_have_the_hole() -> None:
    for advisory in ADVISORIES:
        for major, minor, patch in advisory.cured.values():
            assert advisory.name not in _hits(f"{major}.{minor}.{patch}")
            assert advisory.name in _hits(f"{major}.{minor}.{patch - 1}")
    assert _hits("22.0.0") == {each.name for each in ADVISORIES if 22 in each.cured}


def test_what_a_pbx_calls_itself_is_cut() -> None:
    assert len(judged("x" * 5000).seen) < 100
