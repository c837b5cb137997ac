"""Every metric of ami_ingest."""

from typing import Final

from prometheus_client import Counter, Gauge

CONNECTED: Final = Gauge("ami_ingest_connected", "1 while logged in to the PBX.", ["pbx"])
CONNECTS: Final = Counter("ami_ingest_connects_total", "Logins that succeeded.", ["pbx"])
LINK_ENDS: Final = Counter(
    "ami_ingest_link_ends_total", "Connections that failed or ended, by reason.", ["pbx", "reason"]
)
EVENTS: Final = Counter("ami_ingest_events_total", "AMI events read.", ["pbx"])
FLAGGED: Final = Counter("ami_ingest_flagged_events_total", "Events that were odd, by flag.", ["pbx", "flag"])
PUBLISHED: Final = Counter("ami_ingest_published_entries_total", "Entries that Kafka has.", ["pbx"])
SHED: Final = Counter(
    "ami_ingest_shed_entries_total", "Entries given up because the buffer was full.", ["pbx"]
)
BUFFERED: Final = Gauge("ami_ingest_buffered_bytes", "Read, and not yet acknowledged by Kafka.", ["pbx"])
OFFSET: Final = Gauge("ami_ingest_clock_offset_seconds", "PBX clock minus ours.", ["pbx"])
PING: Final = Gauge("ami_ingest_ping_seconds", "Round trip of the last ping.", ["pbx"])
EPOCH: Final = Gauge("ami_ingest_epoch", "Epoch of our ownership of the PBX.", ["pbx"])
SNAPSHOTS: Final = Counter(
    "ami_ingest_snapshots_total", "Lists of live channels: complete, incomplete, refused.", ["pbx", "result"]
)
