"""Alerts and dashboard against the metrics that the code has, the runbook, and promtool where that is installed."""

import json
import re
import shutil
import subprocess
from typing import Any, Final

import pytest

from tests.deploy import files, queries
from tests.deploy.settings import SERVICES

ALERTS: Final = [
    rule for group in files.load(files.DEPLOY / "prometheus/alerts.yaml")["groups"] for rule in group["rules"]
]
DASHBOARD: Final = json.loads((files.DEPLOY / "grafana/dashboards/legbook.json").read_text())
TARGETS: Final = [
    pytest.param(target, id=f"{panel['title']} {target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
]
RUNBOOK: Final = files.ROOT / "docs/how-to/observe.md"


def each_alert() -> list[Any]:
    return [pytest.param(alert, id=alert["alert"]) for alert in ALERTS]


def check(expression: str) -> None:
    """Names and labels are those of the code."""
    known = queries.known()
    named = list(queries.metrics(expression))
    assert named != []
    for metric, labels in named:
        assert metric in known
        assert labels <= known[metric], metric
    assert queries.grouped(expression) <= frozenset[str]().union(*(known[metric] for metric, _ in named))


@pytest.mark.parametrize(
    "expression", ["up_total == 0", 'ami_ingest_connected{pbxs="hq"}', "sum by (pbx) (legbook_build_info)"]
)
def test_what_the_code_does_not_have_is_found(expression: str) -> None:
    with pytest.raises(AssertionError):
        check(expression)


def test_a_query_is_read() -> None:
    expression = (
        'sum by (le, x) (rate(a_bucket{job=~"a|b", le!="1"}[5m])) > 0.5 * b unless b offset 10m or vector(0)'
    )

    assert list(queries.metrics(expression)) == [
        ("a_bucket", {"job", "le"}),
        ("b", frozenset()),
        ("b", frozenset()),
    ]
    assert queries.grouped(expression) == {"le", "x"}


@pytest.mark.parametrize("alert", each_alert())
def test_an_alert_asks_for_what_there_is(alert: Any) -> None:
    check(alert["expr"])


@pytest.mark.parametrize("alert", each_alert())
def test_an_alert_says_what_is_wrong_with_labels_that_it_has(alert: Any) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    told = " ".join(alert["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", told)) <= queries.kept(alert["expr"])


def test_every_alert_has_its_lines_in_the_runbook_and_no_other_has() -> None:
    headings = re.findall(r"^### (\w+)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    assert sorted(headings) == sorted(alert["alert"] for alert in ALERTS)
    for alert in ALERTS:
        place = f"{RUNBOOK.relative_to(files.ROOT)}#{alert['alert'].lower()}"
        assert alert["annotations"]["runbook_url"] == place


@pytest.mark.parametrize("target", TARGETS)
def test_a_panel_asks_for_what_there_is(target: Any) -> None:
    check(target["expr"])
    assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= queries.kept(target["expr"])


def test_panels_do_not_lie_on_each_other_and_say_where_they_ask() -> None:
    taken = set[tuple[int, int]]()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    source = files.load(files.DEPLOY / "grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]
    asked = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if panel["type"] != "row"}
    assert asked == {source["uid"]}


def test_prometheus_asks_every_service_where_it_is() -> None:
    configuration = files.load(files.DEPLOY / "prometheus/prometheus.yaml")
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in configuration["scrape_configs"]
    }
    image = files.image_environment()
    assert targets == {name: [f"127.0.0.1:{image[f'{name.upper()}_HTTP_PORT']}"] for name in SERVICES}
    for name in configuration["rule_files"]:
        assert (files.DEPLOY / "prometheus" / name).is_file()


def test_what_is_mounted_is_what_the_containers_read() -> None:
    services = files.compose("observed")["services"]
    mounted = {
        target: files.COMPOSE / source
        for name in ("prometheus", "grafana")
        for source, target in map(files.mount, services[name]["volumes"])
    }
    option = next(each for each in services["prometheus"]["command"] if each.startswith("--config.file="))
    assert (mounted["/etc/prometheus"] / option.rpartition("/")[2]).is_file()
    provider = files.load(files.DEPLOY / "grafana/provisioning/dashboards/legbook.yaml")["providers"][0]
    assert list(mounted[provider["options"]["path"]].glob("*.json")) != []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "arguments",
    [
        "check config deploy/prometheus/prometheus.yaml",
        "test rules tests/deploy/alerts.promtool.yaml",
    ],
)
def test_promtool_agrees(arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments.split()], cwd=files.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
