"""ClickHouse: the embedded engine (chDB) behind our own HTTP front, see `legbook.devstack.front`."""

import http.client
import importlib.util
import sys
import urllib.parse
import urllib.request

from legbook.devstack.server import Command, Home, NotReadyError, Progress, Server, StackError


class ClickHouse(Server):
    name = "clickhouse"
    title = "ClickHouse"
    variable = "CLICKHOUSE_URL"
    ports = ("clickhouse",)

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}/legbook"

    def install(self, progress: Progress) -> None:  # noqa: ARG002  # it comes with pip
        if importlib.util.find_spec("chdb") is None:
            raise StackError(
                f"{self.title} needs chDB, which is not installed: pip install 'legbook[devstack]'"
            )

    def command(self, home: Home) -> Command:
        front = [sys.executable, "-m", "legbook.devstack.front", "--database", "legbook"]
        return [*front, "--path", home.data(self.name), "--port", str(home.ports[self.name])]

    def probe(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        place = parts.netloc.rpartition("@")[2]  # /ping asks for no password
        try:
            ping = f"{parts.scheme}://{place}/ping"
            with urllib.request.urlopen(ping, timeout=2) as answer:  # noqa: S310  # our own configuration
                answer.read()
        except (OSError, http.client.HTTPException) as error:  # an HTTP status over 399 is an OSError too
            raise NotReadyError(error) from error
