"""docs/reference/metrics.md, from the metrics modules: names as they are scraped."""

from collections.abc import Iterator

from prometheus_client import Counter, Info
from prometheus_client.metrics import MetricWrapperBase

from legbook.cli.reference.markdown import HEAD, table
from legbook.cli.reference.services import modules
from legbook.runtime import metrics


def page() -> Iterator[str]:
    yield "# Metrics\n"
    yield f"On `/metrics` of each process. A histogram has `_bucket`, `_sum` and `_count`. {HEAD}"
    for title, module in (("Every service", metrics), *modules("metrics")):
        yield f"## {title}\n"
        found = [each for each in vars(module).values() if isinstance(each, MetricWrapperBase)]
        yield from table(("name", "type", "labels", "help"), map(_metric, found))


def _metric(metric: MetricWrapperBase) -> tuple[str, ...]:
    (about,) = metric.describe()
    suffix = "_total" if isinstance(metric, Counter) else "_info" if isinstance(metric, Info) else ""
    labels = " ".join(f"`{name}`" for name in metric._labelnames)  # noqa: SLF001  # nothing public says it
    return f"`{about.name}{suffix}`", about.type, labels, about.documentation
