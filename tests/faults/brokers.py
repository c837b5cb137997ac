"""Three Kafka brokers, as in production: three copies of everything, two of them written before anything is said."""

from pathlib import Path
from typing import Final

from legbook.demo.world import World
from legbook.devstack.kafka import HERE, Kafka, new_cluster_id
from legbook.devstack.server import Command, Home

NAMES: Final = ("kafka", "kafka2", "kafka3")
_BOOTSTRAP: Final = "controller.quorum.bootstrap.servers=127.0.0.1:{controller}"
_MORE: Final = """
node.id={node}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
"""


class Broker(Kafka):
    """One of them; each is a controller too."""

    def __init__(self, name: str, cluster: str) -> None:
        super().__init__()
        self._cluster = cluster
        self.name = name  # type: ignore[misc]  # of a class elsewhere
        self.variable = name.upper()  # type: ignore[misc]
        self.ports = (name, _controller(name))  # type: ignore[misc]

    def prepare(self, home: Home) -> list[Command]:
        voters = [f"{n}@127.0.0.1:{home.ports[_controller(name)]}" for n, name in enumerate(NAMES, 1)]
        text = (HERE / "kafka.properties").read_text()
        assert _BOOTSTRAP in text
        text = text.replace(_BOOTSTRAP, f"controller.quorum.voters={','.join(voters)}") + _MORE
        node, (port, controller) = NAMES.index(self.name) + 1, (home.ports[each] for each in self.ports)
        self._config(home).write_text(
            text.format(data=home.data(self.name), node=node, kafka=port, port=port, controller=controller)
        )
        if (home.data(self.name) / "meta.properties").exists():
            return []
        return [
            [
                *self._java(),
                "kafka.tools.StorageTool",
                "format",
                "-t",
                self._cluster,
                "-c",
                self._config(home),
            ]
        ]

    def command(self, home: Home) -> Command:
        return [*self._java(), "kafka.Kafka", self._config(home)]

    def _config(self, home: Home) -> Path:
        return home.folder / f"{self.name}.properties"


def _controller(name: str) -> str:
    return f"controller_of_{name}"


class ThreeBrokers(World):
    """`env` names all of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        cluster = new_cluster_id()
        for name in NAMES:
            self.stack._servers[name] = Broker(name, cluster)

    def prepare(self) -> None:
        self.legbook("topics", "apply", "--partitions", "4", "--replication", "3")
        self.legbook("migrate")

    @property
    def env(self) -> dict[str, str]:
        env = super().env
        return {**env, "KAFKA_BOOTSTRAP_SERVERS": ",".join(env[name.upper()] for name in NAMES)}
