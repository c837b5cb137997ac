import re
from importlib import import_module
from pathlib import Path

import pytest
import typer
from prometheus_client.metrics import MetricWrapperBase
from typer.testing import CliRunner

from legbook.cli import app as legbook
from legbook.cli.reference import pages, reference
from legbook.cli.reference.services import SERVICES
from legbook.contracts.asyncapi import ALL_TOPICS
from legbook.contracts.legs import Flags, Hold, Interval, Leg, Peer
from legbook.contracts.schemas import MESSAGES
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


def tables(page: str) -> list[list[list[str]]]:
    """Cells of every table, its head first."""
    found = re.findall(r"(?:^\|.*\n)+", pages()[page], re.MULTILINE)
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()] for table in found]


@pytest.mark.parametrize("page", pages())
def test_every_row_has_a_meaning(page: str) -> None:
    assert tables(page)
    for head, _rule, *body in tables(page):
        for row in body:
            assert row[-1].strip(), row
            assert len(row) == len(head), row


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


def test_every_option_of_the_help_is_told_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    page = pages()["cli.md"]
    monkeypatch.setenv("COLUMNS", "200")
    assert page == pages()["cli.md"]
    sections = re.findall(r"^## legbook (.*)\n((?:(?!## ).*\n)*)", page, re.MULTILINE)
    assert len(sections) >= 9
    for path, text in sections:
        shown = CliRunner().invoke(legbook, [*path.split(), "--help"]).output
        listed = [line for line in shown.splitlines() if line.lstrip("│ *").startswith("--")]
        options = {name for line in listed for name in re.findall(r"--[a-z-]+", line)[:2]} - {"--help"}
        assert options
        for option in options:
            assert f"`{option}`" in text


def test_every_topic_and_message_is_told() -> None:
    page = pages()["topics.md"]
    for topic in ALL_TOPICS:
        assert f"\n## {topic.name}\n" in page
    for message in MESSAGES:
        assert f"\n## {message}\n" in page


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
