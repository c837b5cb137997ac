import re
from importlib import import_module
from pathlib import Path

import pytest
import typer
from prometheus_client.metrics import MetricWrapperBase
from typer.testing import CliRunner

from legbook.cli.reference import SERVICES, pages, reference
from legbook.contracts.legs import Flags, Hold, Interval, Leg, Peer
from tests.contracts.folder import ROOT

REFERENCE = ROOT / "docs/reference"
INSTALLED = [name for name in SERVICES if (ROOT / "services" / name).is_dir()]

app = typer.Typer()
app.command()(reference)


def rows(page: str) -> list[list[str]]:
    """The cells of every row of every table."""
    found = [
        re.split(r"(?<!\\)\|", line)[1:-1] for line in pages()[page].splitlines() if line.startswith("| `")
    ]
    return [[cell.strip() for cell in row] for row in found]


@pytest.mark.parametrize("page", pages())
def test_the_committed_page_is_what_the_code_says(page: str) -> None:
    assert (REFERENCE / page).read_text() == pages()[page]


@pytest.mark.parametrize("page", pages())
def test_every_row_has_a_meaning(page: str) -> None:
    for row in rows(page):
        assert row[-1], row
        assert len(row) == len(rows(page)[0])


def test_every_service_is_told() -> None:
    folders = {path.name for path in (ROOT / "services").iterdir() if (path / "settings.py").is_file()}
    assert folders <= set(SERVICES)
    for name in INSTALLED:
        assert f"## {name}" in pages()["settings.md"]
        assert f"## {name}" in pages()["metrics.md"]


@pytest.mark.parametrize("service", INSTALLED)
def test_every_setting_works_under_the_name_that_is_told(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"{service.upper()}_"
    told = [row[0].strip("`") for row in rows("settings.md") if row[0].startswith(f"`{prefix}")]
    kind = import_module(f"{service}.settings").Settings
    assert {name.removeprefix(prefix).lower() for name in told} == set(kind.model_fields)
    monkeypatch.setenv(f"{prefix}HTTP_PORT", "8081")
    assert kind().http_port == 8081


def test_every_metric_is_told_under_the_name_it_is_scraped() -> None:
    told = [row[0].strip("`") for row in rows("metrics.md")]
    assert len(told) == len(set(told))
    for module in ["legbook.runtime", *INSTALLED]:
        for metric in vars(import_module(f"{module}.metrics")).values():
            if isinstance(metric, MetricWrapperBase):
                (family,) = metric.describe()
                suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
                assert family.name + suffix in told


def test_every_field_of_a_leg_is_told() -> None:
    told = [row[0].strip("`") for row in rows("legs.md")]
    kinds = (Leg, Peer, Interval, Hold, Flags)
    assert sorted(told) == sorted(name for kind in kinds for name in kind.__struct_fields__)


def test_check_names_what_differs_and_leaves_other_pages_alone(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, [str(tmp_path)]).exit_code == 0
    (tmp_path / "by-hand.md").write_text("mine\n")
    assert CliRunner().invoke(app, ["--check", str(tmp_path)]).exit_code == 0
    (tmp_path / "legs.md").write_text("old\n")
    checked = CliRunner().invoke(app, ["--check", str(tmp_path)])
    assert checked.exit_code == 1
    assert "legs.md" in checked.output
    assert "settings.md" not in checked.output
    assert (tmp_path / "legs.md").read_text() == "old\n"
