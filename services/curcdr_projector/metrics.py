"""Every metric of curcdr_projector."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

ENTRIES: Final = Counter("curcdr_projector_entries_total", "Entries folded.", ["pbx"])
LATE: Final = Counter(
    "curcdr_projector_late_entries_total",
    "Entries of an older epoch than the newest seen: not folded.",
    ["pbx"],
)
SURPRISES: Final = Counter(
    "curcdr_projector_surprises_total", "Events that no rule could place, by reason.", ["why"]
)
RULE_ERRORS: Final = Counter(
    "curcdr_projector_rule_errors_total", "Entries whose rule raised: dead-lettered.", ["pbx"]
)
LIVE_LEGS: Final = Gauge("curcdr_projector_live_legs", "Legs alive now.", ["pbx"])
LAG: Final = Gauge(
    "curcdr_projector_lag_seconds", "Now minus when the newest folded entry was received.", ["pbx"]
)
FINISHED: Final = Counter("curcdr_projector_finished_legs_total", "Finished legs published.", ["pbx"])
TRANSACTION: Final = Histogram("curcdr_projector_transaction_seconds", "One transaction, begin to commit.")
UNACKED: Final = Gauge(
    "curcdr_projector_unacked_bytes", "Folded and not yet covered by a checkpoint.", ["partition"]
)
ROWS: Final = Counter("curcdr_projector_rows_total", "Rows of curcdr written or deleted.", ["what"])
REPAIRED: Final = Counter(
    "curcdr_projector_repaired_rows_total", "Rows that the comparison found wrong.", ["how"]
)
REFUSED: Final = Counter(
    "curcdr_projector_refused_rows_total", "Rows that MySQL refuses: a value, or a full table."
)
CUT: Final = Counter(
    "curcdr_projector_cut_values_total", "Values cut to the width of their column.", ["column"]
)
MYSQL_UP: Final = Gauge(
    "curcdr_projector_mysql_up", "1 while this partition may write to curcdr.", ["partition"]
)
