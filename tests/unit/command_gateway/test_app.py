"""Unsigned commands come from this machine only."""

import pytest

from command_gateway.app import check_loopback
from legbook.runtime.settings import KafkaSettings
from legbook.runtime.stop import CannotStartError


@pytest.mark.parametrize("servers", ["127.0.0.1:9092", "localhost:9092,127.0.0.2:9093", "[::1]:9092"])
def test_loopback(servers: str) -> None:
    check_loopback(KafkaSettings(bootstrap_servers=servers))


@pytest.mark.parametrize(
    "servers", ["kafka:9092", "127.0.0.1:9092,10.0.0.5:9092", "127.0.0.1.example.com:9092"]
)
def test_anywhere_else(servers: str) -> None:
    with pytest.raises(CannotStartError, match="KAFKA_BOOTSTRAP_SERVERS: .* is not this machine"):
        check_loopback(KafkaSettings(bootstrap_servers=servers))
