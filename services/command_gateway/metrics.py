"""Every metric of command_gateway."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

COMMANDS: Final = Counter(
    "command_gateway_commands_total", "Commands, by the state and reason they ended in.", ["state", "reason"]
)
FORWARDED: Final = Counter(
    "command_gateway_forwarded_total",
    "Commands that came on a wrong partition and were sent to the right one.",
)
UNDER_WAY: Final = Gauge("command_gateway_under_way", "Commands accepted and not final yet.", ["pbx"])
CONNECTED: Final = Gauge("command_gateway_connected", "1 while logged in to the PBX.", ["pbx"])
WRITTEN: Final = Histogram(
    "command_gateway_write_seconds",
    "From the record's timestamp in Kafka to the bytes of its action.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
