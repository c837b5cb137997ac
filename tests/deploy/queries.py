"""What a PromQL expression names, as far as ours go: metrics with the labels they are asked for, and labels kept."""

import functools
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from prometheus_client import PROCESS_COLLECTOR, Counter, Histogram, Info
from prometheus_client.metrics import MetricWrapperBase

from tests.deploy.settings import SERVICES

OF_PROMETHEUS: Final = frozenset({"job", "instance"})
_WORDS: Final = frozenset({"and", "or", "unless", "on", "ignoring", "bool", "by", "without", "offset"})
_METRIC: Final = re.compile(r"\b([a-zA-Z_]\w*)\b(?!\s*\()(?:\{([^}]*)\})?")


@functools.cache
def known() -> dict[str, frozenset[str]]:
    """Name as scraped -> its labels."""
    found = {"up": OF_PROMETHEUS, "ALERTS": OF_PROMETHEUS | {"alertname", "alertstate", "severity", "pbx"}}
    found |= {metric.name: OF_PROMETHEUS for metric in PROCESS_COLLECTOR.collect()}
    found["process_cpu_seconds_total"] = OF_PROMETHEUS
    for module in ("legbook.runtime", *SERVICES):
        for metric in vars(import_module(f"{module}.metrics")).values():
            if isinstance(metric, MetricWrapperBase):
                found.update(_scraped(metric))
    return found


def _scraped(metric: MetricWrapperBase) -> Mapping[str, frozenset[str]]:
    (family,) = metric.describe()
    labels = frozenset(metric._labelnames) | OF_PROMETHEUS
    if isinstance(metric, Histogram):
        return {
            f"{family.name}_bucket": labels | {"le"},
            f"{family.name}_sum": labels,
            f"{family.name}_count": labels,
        }
    suffix = "_total" if isinstance(metric, Counter) else "_info" if isinstance(metric, Info) else ""
    return {family.name + suffix: labels}


def metrics(expression: str) -> Iterator[tuple[str, frozenset[str]]]:
    """(metric, labels it is asked for)"""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\[[^\]]*\]|\boffset\s+\w+|\b\d[\w.]*", " ", bare)
    for name, matchers in _METRIC.findall(bare):
        if name not in _WORDS:
            yield name, frozenset(re.findall(r"(\w+)\s*[=!]", matchers))


def grouped(expression: str) -> frozenset[str]:
    """The labels of every `by (…)`."""
    lists = re.findall(r"\bby\s*\(([^)]*)\)", expression)
    return frozenset(label.strip() for each in lists for label in each.split(","))


def kept(expression: str) -> frozenset[str]:
    """The labels that its result may have."""
    outer = re.match(r"\s*(?:sum|max|min|count)\s+by\s*\(([^)]*)\)", expression)
    if outer:
        return frozenset(label.strip() for label in outer[1].split(","))
    if re.match(r"\s*(?:sum|max|min|count|histogram_quantile)\b", expression):
        return frozenset()
    return frozenset[str]().union(*(known()[name] for name, _ in metrics(expression)))
