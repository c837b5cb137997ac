from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from ami_ingest.boots import settled, started, started_by_status

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "uptime", "boot"),
    [(1795396166.3, 0, 1795396166), (1795396166.7, 166, 1795396001), (100.0, 5, 95), (5.0, 7, 0)],
)
def test_the_start_from_the_uptime(now: float, uptime: int, boot: int) -> None:
    assert started(now, uptime) == boot


def test_the_start_from_core_status_is_local_time() -> None:
    assert started_by_status("2026-11-23", "05:49:01", UTC) == 1795412941
    assert started_by_status("2026-11-23", "05:49:01", BERLIN) == 1795412941 - 3600
    assert started_by_status("2026-07-23", "05:49:01", BERLIN) == 1784785741 - 7200


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("", ""),
        ("2026-11-23", ""),
        ("", "05:49:01"),
        ("23.11.2026", "05:49:01"),
        ("2026-13-01", "00:00:00"),
        ("x", "y"),
    ],
)
def test_core_status_without_a_start(date: str, time: str) -> None:
    assert started_by_status(date, time, UTC) is None


@pytest.mark.parametrize(
    ("known", "seen", "boot"),
    [
        (None, None, None),
        (None, 100, 100),
        (100, None, 100),
        (100, 100, 100),
        (100, 102, 100),
        (100, 98, 100),
        (100, 103, 103),
        (100, 97, 97),
        (0, 1, 0),
        (0, 3, 3),
    ],
)
def test_a_boot_stays_as_first_seen(known: int | None, seen: int | None, boot: int | None) -> None:
    assert settled(known, seen) == boot


def test_a_second_of_jitter_at_each_login_never_walks_away() -> None:
    boot = None
    for login in range(1000):
        boot = settled(boot, 1795390000 + login % 2)
    assert boot == 1795390000
