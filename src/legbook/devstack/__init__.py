"""Real Kafka, MariaDB and ClickHouse as child processes on loopback, without containers.

For development and tests; nothing of it belongs in production.
"""

from legbook.devstack.server import StackError
from legbook.devstack.stack import Stack

__all__ = ["Stack", "StackError"]
