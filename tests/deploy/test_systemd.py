"""The unit and its environment file against the code, and against systemd-analyze where that is installed."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from legbook.runtime.stop import CANNOT_START, FAILED
from tests.deploy import files
from tests.deploy.settings import SERVICES, read, variables

UNIT: Final = files.DEPLOY / "systemd/legbook@.service"
LINES: Final = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
ENVIRONMENT: Final = dict(files.environment(files.DEPLOY / "systemd/legbook.env"))


def values(directive: str) -> list[str]:
    return [line.partition("=")[2] for line in LINES if line.partition("=")[0] == directive]


def test_what_failed_is_restarted_and_what_cannot_start_is_not() -> None:
    assert values("Restart") == ["on-failure"]
    assert values("RestartPreventExitStatus") == [str(CANNOT_START)]
    assert str(FAILED) not in values("RestartPreventExitStatus")
    assert values("StartLimitIntervalSec") == ["0"]


def test_it_runs_the_service_of_its_name_with_the_files_that_are_told() -> None:
    assert values("ExecStart") == ["/opt/legbook/bin/python -m %i"]
    assert values("EnvironmentFile") == ["/etc/legbook/legbook.env", "-/etc/legbook/%i.env"]
    assert values("User") == ["legbook"]


def test_the_metrics_of_the_process_stay_visible() -> None:
    """They need /proc/stat, which ProcSubset=pid hides; LegbookRestarts is made of them."""
    assert values("ProcSubset") == []


def test_every_variable_is_a_setting() -> None:
    assert set(ENVIRONMENT) <= set().union(*(variables(service) for service in SERVICES))


@pytest.mark.parametrize("service", SERVICES)
def test_every_value_is_read(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, service, ENVIRONMENT)
    for variable in ENVIRONMENT.keys() & found.keys():
        value = found[variable]
        text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        assert text == ENVIRONMENT[variable]


def test_the_ports_are_those_of_the_images() -> None:
    image = files.image_environment()
    ports = {name: value for name, value in ENVIRONMENT.items() if name.endswith("_HTTP_PORT")}
    assert len(ports) == len(SERVICES)
    assert ports == {name: value for name, value in image.items() if name.endswith("_HTTP_PORT")}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_it(tmp_path: Path) -> None:
    unit = tmp_path / "legbook@ami_ingest.service"
    unit.write_text(UNIT.read_text().replace("/opt/legbook/bin/python", sys.executable))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
