"""A Kafka with TLS, users and ACLs: each service has the rights of the how-to and no more, and that is enough."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from legbook.cli.doctor import kafka
from legbook.client import Client
from legbook.contracts.topics import STATUS as STATUS_TOPIC
from legbook.contracts.topics import TOPICS, dlq_topics
from legbook.demo.watch import Watch
from legbook.demo.world import SERVICES
from legbook.devstack import StackError
from legbook.devstack.processes import free_ports
from tests.e2e.conftest import QUICK
from tests.e2e.fleet import play
from tests.e2e.secured import CLIENT, NOBODY, OPERATOR, SecuredWorld, certify
from tests.recorded import RING_GROUP
from tests.waiting import until

PBX = "seed"
pytestmark = pytest.mark.faults  # half a minute that CI has not got: `make faults` runs it
EVERY = [each.name for each in (*TOPICS, *dlq_topics())]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredWorld]:
    with SecuredWorld(tmp_path_factory.mktemp("secured")) as world:
        yield world


def log_in(monkeypatch: pytest.MonkeyPatch, world: SecuredWorld, user: str) -> None:
    """With this process."""
    for variable, value in world.login(user).items():
        monkeypatch.setenv(variable, value)


async def test_a_call_and_a_command_go_through_everything(
    world: SecuredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = {PBX: free_ports(1)[0]}
    world.fleet(ports)
    world.start(**QUICK)
    watch = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
    log_in(monkeypatch, world, CLIENT)
    async with play(PBX, [RING_GROUP], ports), Client(issuer="test") as client:
        (talk,) = await until(
            watch.live, lambda rows: [row["disposition"] for row in rows] == ["LINK"], patience=60
        )
        result = await client.hangup(PBX, talk["id"], side="dst", actor="alice")
        assert result.state == "done", result
        await until(lambda: watch.query("SELECT * FROM cdr"), lambda legs: len(legs) == 3)
        assert " up for " in world.legbook("status")
    watch.close()

    for service in SERVICES:
        assert "Authorization" not in world.log(service)


@pytest.mark.parametrize(
    ("user", "found"),
    [
        (OPERATOR, ["ok reached, 1 broker", "warn all 11 topics: one copy: who loses the broker loses it"]),
        (NOBODY, ["ok reached, 1 broker", f"fail this Kafka user may not see {', '.join(EVERY)}"]),
    ],
)
async def test_the_doctor_says_what_a_user_may_not(
    world: SecuredWorld, monkeypatch: pytest.MonkeyPatch, user: str, found: list[str]
) -> None:
    log_in(monkeypatch, world, user)

    assert [f"{each.level} {each.seen}" async for each in kafka.check()] == found


HANGUP = ("command", "hangup", PBX, "4097")
APPLY, STATUS = ("topics", "apply", "--partitions", "4", "--replication", "1"), ("status",)


@pytest.mark.parametrize(
    ("command", "login", "said"),
    [
        (APPLY, {"KAFKA_SASL_PASSWORD": "another"}, "Authentication failed"),
        (STATUS, {"KAFKA_SASL_PASSWORD": "another"}, "Authentication failed"),
        (APPLY, {"KAFKA_SASL_USERNAME": NOBODY}, "pbx.ami.raw.v1: Authorization failed"),
        (
            APPLY,
            {"KAFKA_SASL_USERNAME": "ami_ingest"},
            "pbx.ami.raw.v1: settings: Topic authorization failed",
        ),
        (STATUS, {"KAFKA_SASL_USERNAME": NOBODY}, "hidden from this Kafka user"),
        (
            HANGUP,
            {"KAFKA_SASL_USERNAME": NOBODY},
            "pbx.commands.v1 is not there, or hidden from this Kafka user",
        ),
        (HANGUP, {"KAFKA_SASL_USERNAME": OPERATOR}, "this Kafka user lacks an ACL"),
    ],
)
def test_who_may_not_is_told_why(
    world: SecuredWorld, command: tuple[str, ...], login: dict[str, str], said: str
) -> None:
    with pytest.raises(StackError) as error:
        world.legbook(*command, **login)

    assert said in str(error.value)
    assert "Unclosed" not in str(error.value)


async def test_the_doctor_says_what_is_wrong_with_a_login(
    world: SecuredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(monkeypatch, world, OPERATOR)
    for variable, value, said in [
        ("KAFKA_SASL_PASSWORD", "another", "Authentication failed"),
        ("KAFKA_SSL_CAFILE", "/nowhere.pem", "KAFKA_SSL_CAFILE: No such file"),
    ]:
        monkeypatch.setenv(variable, value)
        (finding,) = [each async for each in kafka.check()]
        assert said in finding.seen
        assert "docs/how-to/secure-kafka.md" in finding.todo


def test_a_broker_that_nobody_vouches_for(world: SecuredWorld, tmp_path: Path) -> None:
    certify(tmp_path / "ca.pem", tmp_path / "kafka.pem")

    with pytest.raises(StackError, match="certificate verify failed"):
        world.legbook(*STATUS, KAFKA_SSL_CAFILE=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_that_may_not_says_so_and_waits(world: SecuredWorld, service: str) -> None:
    worker = f"{service}.2"
    world.start(worker, KAFKA_SASL_USERNAME=NOBODY)

    said = await until(lambda: world.log(worker), lambda log: "waiting for ACLs" in log)

    assert f'"group {service}"' in said
    assert STATUS_TOPIC.name in said or service == "cdr_archiver"
    assert "secure-kafka.md" in said
    assert world.exit_code(worker) is None
    world.kill(worker)
