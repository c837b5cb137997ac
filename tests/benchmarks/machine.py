"""Where a run was made: the machine, and the versions of what took part."""

import platform
import re
from importlib.metadata import version
from pathlib import Path

import psutil

from legbook.demo.watch import Watch
from legbook.demo.world import World

_PACKAGES = ("aiokafka", "faust-streaming", "panoramisk", "pymysql", "clickhouse-connect", "msgspec")


def facts(world: World) -> dict[str, str]:
    """What -> which."""
    cores, memory = psutil.cpu_count(), psutil.virtual_memory().total / 2**30
    return {
        "Processor": f"{_processor()}, {cores} cores",
        "Memory": f"{memory:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        **_servers(world),
        "Packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _servers(world: World) -> dict[str, str]:
    watch = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
    try:
        (clickhouse,) = watch.query("SELECT version() AS v")
        return {
            "Kafka": f"{_kafka(world)}, one broker",
            "MySQL": str(watch._mysql.get_server_info()),  # type: ignore[no-untyped-call]
            "ClickHouse": f"{clickhouse['v']}, chDB {version('chdb')}",
        }
    finally:
        watch.close()


def _kafka(world: World) -> str:
    """By the jars that our broker runs from."""
    pid = world.stack.pids().get("kafka")
    command = " ".join(psutil.Process(pid).cmdline()) if pid else ""
    found = re.search(r"kafka-clients-([\d.]+)\.jar", command)
    return found[1] if found else f"at {world.env['KAFKA_BOOTSTRAP_SERVERS']}"
