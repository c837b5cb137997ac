"""Every metric of cdr_archiver."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

LEGS: Final = Counter(
    "cdr_archiver_legs_total",
    "Records read, by what became of them: archived, unreadable, refused, tombstone.",
    ["result"],
)
INSERT_SECONDS: Final = Histogram(
    "cdr_archiver_insert_seconds",
    "One insert that ClickHouse took, without waits for retries.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
RETRIES: Final = Counter(
    "cdr_archiver_retries_total", "Tries that failed and are repeated: ClickHouse is away or busy."
)
WAITING: Final = Gauge("cdr_archiver_waiting_legs", "Legs read from Kafka and not yet archived.")
LATE_COMMITS: Final = Counter(
    "cdr_archiver_late_commits_total",
    "Commits refused because the partitions had moved: their legs are archived twice, which changes nothing.",
)
DELAY: Final = Histogram(
    "cdr_archiver_delay_seconds",
    "From the publication of a leg until it was archived; the oldest leg of each batch.",
    buckets=(0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 43200),
)
LAST_COMMIT: Final = Gauge("cdr_archiver_last_commit_timestamp_seconds", "When the last batch was committed.")
