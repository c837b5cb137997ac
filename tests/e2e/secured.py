"""A Kafka as others run theirs: TLS, SCRAM, and ACLs that allow each user what the how-to says, and nothing else."""

import asyncio
import datetime as dt
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from legbook.demo.world import World
from legbook.devstack.kafka import Kafka, config
from legbook.devstack.server import Command, Home
from tests.docs.pages import ROOT

PAGE: Final = ROOT / "docs/how-to/secure-kafka.md"
PASSWORD: Final = "of-everybody"
CLIENT: Final = "your service that commands"
OPERATOR: Final = "operator"
NOBODY: Final = "nobody"
_OPERATIONS: Final = {
    "Read": 3,
    "Write": 4,
    "Create": 5,
    "Describe": 8,
    "DescribeConfigs": 10,
    "AlterConfigs": 11,
}
_TOPIC, _GROUP, _CLUSTER, _TRANSACTIONAL = 2, 3, 4, 5
_LITERAL, _PREFIXED = 3, 4
_ALLOW: Final = 3
_HERE: Final = ipaddress.ip_address("127.0.0.1")
_COLUMNS: Final = (
    (_TOPIC, _LITERAL, "Read"),
    (_TOPIC, _LITERAL, "Write"),
    (_GROUP, _LITERAL, "Read"),
    (_TRANSACTIONAL, _PREFIXED, "Write"),
)
_MORE: Final = """
listeners=PLAINTEXT://127.0.0.1:{kafka},CONTROLLER://127.0.0.1:{controller},SECURED://127.0.0.1:{secured}
advertised.listeners=PLAINTEXT://127.0.0.1:{kafka},CONTROLLER://127.0.0.1:{controller},SECURED://127.0.0.1:{secured}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secured.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={pem}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class Right(NamedTuple):
    """As CreateAcls spells it."""

    kind: int
    name: str
    pattern: int
    user: str
    operation: str

    def request(self) -> CreateAclsRequest:
        return CreateAclsRequest(
            self.kind, self.name, self.pattern, f"User:{self.user}", "*", _OPERATIONS[self.operation], _ALLOW
        )


def rights() -> list[Right]:
    """Of the table of the how-to, and of the sentence below it."""
    text = PAGE.read_text()
    rows = re.findall(r"^\| (?!user)(\S.*) \|$", text, re.MULTILINE)
    sentence = text.partition("The operator needs, on topics that begin with `pbx.`: ")[2].partition(".\n")[0]
    on_topics, on_cluster = sentence.split("; on the cluster")
    return [
        *(right for row in rows for right in _of_row(row)),
        *(Right(_TOPIC, "pbx.", _PREFIXED, OPERATOR, each) for each in re.findall(r"`(\w+)`", on_topics)),
        *(
            Right(_CLUSTER, "kafka-cluster", _LITERAL, OPERATOR, each)
            for each in re.findall(r"`(\w+)`", on_cluster)
        ),
    ]


def _of_row(row: str) -> Iterator[Right]:
    user, *cells = [cell.strip() for cell in row.split("|")]
    for cell, (kind, pattern, operation) in zip(cells, _COLUMNS, strict=True):
        for name in re.findall(r"`([^`]+)`", cell):
            yield Right(kind, name, pattern, user.strip("`"), operation)


class SecuredKafka(Kafka):
    """A plain listener for the stack itself, who may do anything; a secured one for everybody else."""

    ports = ("secured", "kafka", "controller")  # type: ignore[assignment]  # Kafka has but two

    def prepare(self, home: Home) -> list[Command]:
        (formatted,) = super().prepare(home)
        self.plain = self.url(home.ports["kafka"])
        self.ca = home.folder / "ca.pem"
        pem = home.folder / "kafka.pem"
        certify(self.ca, pem)
        with config(home).open("a") as properties:
            properties.write(_MORE.format(pem=pem, **home.ports))
        users = sorted({right.user for right in rights()} | {NOBODY})
        scram = [f"--add-scram=SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in users]
        return [[*formatted, *scram]]

    def probe(self, url: str) -> None:
        del url
        super().probe(self.plain)


class SecuredWorld(World):
    """`env` is the operator's; a worker logs in as its service."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.kafka = SecuredKafka()
        self.stack._servers["kafka"] = self.kafka

    def prepare(self) -> None:
        asyncio.run(_allow(self.kafka.plain))
        super().prepare()

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, **self.login(OPERATOR)}

    def own(self, worker: str) -> dict[str, str]:
        return {**super().own(worker), **self.login(worker.partition(".")[0])}

    def login(self, user: str) -> dict[str, str]:
        """What this user has in the environment."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.stack.env["KAFKA_BOOTSTRAP_SERVERS"],
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SSL_CAFILE": str(self.kafka.ca),
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": PASSWORD,
        }


async def _allow(plain: str) -> None:
    """Everybody what is theirs."""
    client = AIOKafkaAdminClient(bootstrap_servers=plain)
    await client.start()
    try:
        for right in rights():
            answer = await client._send_request(right.request())
            assert [code for code, _ in answer.creation_responses] == [0], answer
    finally:
        await client.close()


def certify(ca: Path, pem: Path) -> None:
    """A certificate that vouches for itself, for 127.0.0.1: the CA and the broker are one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "legbook test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    ca.write_bytes(public)
    pem.write_bytes(private + public)
