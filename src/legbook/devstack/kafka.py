"""Kafka: one node in KRaft mode, from jars that Maven fetches, started by the machine's java."""

import asyncio
import base64
import hashlib
import os
import shutil
import socket
import threading
import uuid
from pathlib import Path

from legbook.devstack.fetch import fetched, require
from legbook.devstack.server import Command, Home, NotReadyError, Progress, Server

HERE = Path(__file__).parent
JAVA_OPTIONS = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a development broker starts more often than it gets hot
    "-Xshare:auto",
    "-Xlog:cds=error",  # else 2000 lines about classes that the archive cannot hold
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
)
STOPPED_BY_SIGTERM = 143


class Kafka(Server):
    name = "kafka"
    title = "Kafka"
    variable = "KAFKA_BOOTSTRAP_SERVERS"
    ports = ("kafka", "controller")

    def __init__(self) -> None:
        self._jars = Path()

    def url(self, port: int) -> str:
        return f"127.0.0.1:{port}"

    def install(self, progress: Progress) -> None:
        require("java", by=self.title)
        self._jars = fetched("kafka", title=self.title, what="43 MB of jars", progress=progress)

    def prepare(self, home: Home) -> list[Command]:
        template = (HERE / "kafka.properties").read_text()
        config(home).write_text(template.format(data=home.data(self.name), **home.ports))
        if (home.data(self.name) / "meta.properties").exists():
            return []
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "--ignore-formatted"]
        return [[*self._java(), *tool, "-t", new_cluster_id(), "-c", config(home)]]

    def command(self, home: Home) -> Command:
        """With class data sharing ready in half the time. The first run writes the archive at its end."""
        archive = self._archive()
        sharing = (
            f"SharedArchiveFile={archive}" if archive.exists() else f"ArchiveClassesAtExit={written(home)}"
        )
        return [*self._java(f"-XX:{sharing}"), "kafka.Kafka", config(home)]

    def probe(self, url: str) -> None:
        host, _, port = url.partition(",")[0].rpartition(":")
        failures: list[BaseException] = []

        def ask() -> None:
            try:
                asyncio.run(describe(url))
            except BaseException as error:  # noqa: BLE001  # handed to the caller below
                failures.append(error)

        try:  # aiokafka logs every refused connection: look first whether anybody listens
            socket.create_connection((host, int(port)), 1).close()
        except OSError as error:
            raise NotReadyError(error) from error
        thread = threading.Thread(target=ask)  # the caller may have a running loop of its own
        thread.start()
        thread.join()
        if failures:
            raise failures[0]

    def stopped(self, home: Home, exit_code: int) -> None:
        """Keeps the archive with the jars. Only after a clean end: a killed java leaves half an archive."""
        if exit_code != STOPPED_BY_SIGTERM or not written(home).exists():
            return
        if not self._archive().exists() and os.access(self._jars, os.W_OK):
            part = self._archive().with_suffix(f".{os.getpid()}")
            shutil.move(written(home), part)
            part.rename(self._archive())

    def _java(self, *options: str) -> list[str]:
        jars = ":".join(sorted(map(str, self._jars.glob("*.jar"))))
        return ["java", *options, *JAVA_OPTIONS, "-cp", jars]

    def _archive(self) -> Path:
        """One archive for one java: another one would not take it, and would never write its own."""
        java = require("java", by=self.title).resolve()
        this = hashlib.sha256(f"{java} {java.stat().st_mtime_ns}".encode()).hexdigest()[:8]
        return self._jars / f"kafka-{this}.jsa"


def config(home: Home) -> Path:
    return home.folder / "server.properties"


def written(home: Home) -> Path:
    return home.folder / "kafka.jsa"


def new_cluster_id() -> str:
    """22 characters. Kafka's tools take an id that begins with a dash for an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")


async def describe(bootstrap: str) -> None:
    # Not at the top: the ClickHouse front imports this package too, and would start 0.2 s later.
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except (KafkaError, OSError, TimeoutError) as error:
        raise NotReadyError(f"{type(error).__name__}: {error}") from error
    finally:
        await admin.close()
    if not cluster["brokers"]:
        raise NotReadyError("no broker has registered yet")
