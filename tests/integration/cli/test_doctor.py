"""`legbook doctor` as a process: on real servers and the fake PBX, well and ill, there, away, and silent."""

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pymysql
import pytest

from legbook.devstack import Stack
from legbook.fakepbx import FakePbx, User
from legbook.fakepbx.actions import Action
from legbook.fakepbx.session import Session
from legbook.fakepbx.switch import Switch
from legbook.runtime.settings import KafkaSettings
from tests.integration.devstack.clients import mysql
from tests.integration.migrations.command import migrate
from tests.recorded import RING_GROUP

SECRET = "s3cret"
READ = frozenset({"system", "call", "dialplan", "agent"})
USERS = (
    User("ingest", SECRET, read=READ, write=frozenset({"reporting"})),
    User("gateway", SECRET, read=frozenset({"call"}), write=frozenset({"call"})),
    User("admin", SECRET),
)
# The fake PBX does not know ListCommands: a few of Asterisk 22
ACTIONS = {
    "Ping": "<none>",
    "CoreSettings": "system,reporting",
    "CoreShowChannels": "system,reporting",
    "Hangup": "system,call",
    "Redirect": "call",
    "DBPut": "system",
    "Command": "command",
}
SERVERS = {"kafka", "mysql", "clickhouse"}
Env = Mapping[str, str]


async def _list_commands(_switch: Switch, session: Session, action: Action) -> None:
    assert session.user is not None
    held = session.user.write | {"<none>"}
    lines = [
        (name, f"Does it.  (Priv: {classes}{',all' if classes != '<none>' else ''})")
        for name, classes in ACTIONS.items()
        if held & set(classes.split(","))
    ]
    session.reply(action, "Success", *lines)


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    findings: list[dict[str, str]]
    text: str

    def of(self, server: str, *levels: str) -> list[str]:
        """What was seen, of all levels or of these."""
        return [
            each["seen"]
            for each in self.findings
            if each["server"].startswith(server) and (not levels or each["level"] in levels)
        ]

    def todo(self, seen: str) -> str:
        (found,) = (each["todo"] for each in self.findings if seen in each["seen"])
        return found


async def _run(env: Env, *arguments: str) -> tuple[int, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "legbook.cli", "doctor", *arguments),
        env={**os.environ, **env},
        stdout=pipe,
        stderr=pipe,
    )
    out, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode() + errors.decode()


async def _doctor(env: Env, *arguments: str) -> Answer:
    code, text = await _run(env, "--json", *arguments)
    return Answer(code, [json.loads(line) for line in text.splitlines()], text)


@pytest.fixture
def databases(stack: Stack) -> dict[str, str]:
    """Of their own, and not there yet."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    return {
        variable: f"{stack.env[variable].rpartition('/')[0]}/{name}"
        for variable in ("MYSQL_URL", "CLICKHOUSE_URL")
    }


@pytest.fixture
async def pbx() -> AsyncIterator[FakePbx]:
    """Plays calls for ever."""
    async with FakePbx(
        "hq", [RING_GROUP], username="first", secret=SECRET, others=USERS, rounds=None, banner=_BANNER
    ) as running:
        running.handlers["listcommands"] = _list_commands
        running.begin()
        yield running


_BANNER = "Asterisk Call Manager/11.0.0 \x1b[2J"


def _fleet(
    folder: Path, port: int, ingest: str = "ingest", gateway: str = "gateway", secret: str = SECRET
) -> Env:
    (folder / "secret").write_text(secret)
    (folder / "fleet.toml").write_text(
        f'[pbx.hq]\nnumber = 1\nhost = "127.0.0.1"\nport = {port}\n'
        + "".join(
            f'{part} = {{ username = "{name}", secret_file = "{folder / "secret"}" }}\n'
            for part, name in (("ingest", ingest), ("gateway", gateway))
        )
    )
    return {"LEGBOOK_FLEET": str(folder / "fleet.toml")}


async def test_an_installation_as_it_should_be(
    kafka_settings: KafkaSettings, databases: Env, pbx: FakePbx, tmp_path: Path
) -> None:
    assert (await asyncio.to_thread(migrate, databases)).exit_code == 0
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers}

    answer = await _doctor({**kafka, **databases, **_fleet(tmp_path, pbx.port)})

    assert (answer.code, answer.of("", "fail")) == (0, []), answer.text
    assert answer.of("pbx hq", "warn") == []
    assert {
        "ingest: may do what it needs and no more (write = reporting)",
        "gateway: may do what it needs and no more (write = call)",
        "events carry their time (timestampevents = yes)",
        "Asterisk 22.10.1: no known advisory about AMI",
    } <= set(answer.of("pbx hq", "ok"))
    assert answer.of("kafka") == [
        "reached, 1 broker",
        "all 11 topics: one copy: who loses the broker loses it",
    ]
    assert "schema 0001: curcdr" in answer.of("mysql", "ok")
    assert "schema 0001: mycdr, cdr, calls" in answer.of("clickhouse", "ok")
    assert SECRET not in answer.text
    assert {each.name for each in pbx.actions.entries} == {
        *("Login", "Ping", "ListCommands", "CoreSettings", "CoreShowChannels")
    }


async def test_nothing_was_prepared(databases: Env, tmp_path: Path) -> None:
    env = {**databases, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "LEGBOOK_FLEET": str(tmp_path / "no.toml")}

    answer = await _doctor(env)

    assert answer.code == 1
    assert len(answer.findings) == len(answer.of("", "fail")) == len({"fleet file", *SERVERS})
    assert "LEGBOOK_FLEET" in answer.todo("no.toml")
    assert "KAFKA_BOOTSTRAP_SERVERS" in answer.todo("127.0.0.1', 1")
    assert answer.todo("Unknown database") == "legbook migrate --only mysql"
    assert "legbook migrate --only clickhouse" in [each["todo"] for each in answer.findings]


async def test_what_is_half_done(stack: Stack, databases: Env, pbx: FakePbx, tmp_path: Path) -> None:
    """A database without tables; a fleet file without a gateway user, and with a secret that is not there."""
    name = databases["MYSQL_URL"].rpartition("/")[2]
    with mysql(stack.env["MYSQL_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    fleet = _fleet(tmp_path, pbx.port)
    lines = (tmp_path / "fleet.toml").read_text().splitlines()
    (tmp_path / "fleet.toml").write_text("\n".join(line for line in lines if not line.startswith("gateway")))
    (tmp_path / "secret").unlink()

    answer = await _doctor({**_away(fleet), **databases, "CLICKHOUSE_URL": f"ftp://u:{SECRET}@h/x"})

    assert answer.of("pbx", "ok") == ["no gateway user: this PBX takes no commands"]
    (told,) = answer.of("pbx", "fail")
    assert told.startswith("pbx.hq.ingest.secret_file: No such file or directory")
    assert answer.of("mysql", "fail") == ["has no schema of legbook"]
    (told,) = answer.of("clickhouse")
    assert told.startswith("CLICKHOUSE_URL: wanted http://user:password@host")
    assert SECRET not in answer.text


async def test_all_rights_and_a_wrong_secret(pbx: FakePbx, tmp_path: Path) -> None:
    rich = await _doctor(_away(_fleet(tmp_path, pbx.port, "admin", "admin")))
    wrong = await _doctor(_away(_fleet(tmp_path, pbx.port, secret="other")), "--pbx", "hq")

    assert rich.of("pbx", "fail") == []
    assert [each.partition(";")[0] for each in rich.of("pbx", "warn")] == [
        "ingest: may do more than it needs: call, command, system",
        "gateway: may do more than it needs: command, system",
    ]
    refused = f"127.0.0.1:{pbx.port}: login of '{{}}' refused: Authentication failed"
    assert wrong.of("pbx") == [
        f"{role}: {refused.format(name)}" for role, name in (("ingest", "ingest"), ("gateway", "gateway"))
    ]


def _away(env: Env) -> Env:
    return {
        **env,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "MYSQL_URL": f"mysql://u:{SECRET}@127.0.0.1:1/x",
        "CLICKHOUSE_URL": f"http://u:{SECRET}@127.0.0.1:1/x",
    }


async def test_servers_that_take_connections_and_never_speak(tmp_path: Path) -> None:
    async with AsyncExitStack() as open_for_ever:

        def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            open_for_ever.callback(writer.transport.abort)

        async with await asyncio.start_server(accept, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            env = {key: value.replace("127.0.0.1:1", f"127.0.0.1:{port}") for key, value in _away({}).items()}
            async with asyncio.timeout(40):
                answer = await _doctor({**env, **_fleet(tmp_path, port)})

    assert answer.code == 1
    assert {each["server"].partition(" ")[0] for each in answer.findings} == {"pbx", *SERVERS}
    assert {each["level"] for each in answer.findings} == {"fail"}
    assert all(each["todo"] for each in answer.findings)
    assert "tls = true" in answer.todo("ingest: ")
    assert SECRET not in answer.text


async def test_a_mysql_user_with_few_rights(stack: Stack, databases: Env, tmp_path: Path) -> None:
    await asyncio.to_thread(migrate, databases, "--only", "mysql")
    url = urlsplit(databases["MYSQL_URL"])
    user, database = f"few_{uuid.uuid4().hex[:8]}", url.path.strip("/")
    try:
        root = pymysql.connect(host=url.hostname, port=url.port or 0, user="root")
    except pymysql.OperationalError as error:
        pytest.skip(f"root of this server may not come by TCP: {error}")
    with root, root.cursor() as cursor:
        cursor.execute(f"CREATE USER '{user}'@'127.0.0.1' IDENTIFIED BY '{SECRET}'")
        cursor.execute(f"GRANT SELECT, INSERT ON {database}.* TO '{user}'@'127.0.0.1'")
        cursor.execute(f"GRANT FILE ON *.* TO '{user}'@'127.0.0.1'")

    env = _away(_fleet(tmp_path, 1))
    answer = await _doctor(
        {**env, "MYSQL_URL": f"mysql://{user}:{SECRET}@{url.hostname}:{url.port}/{database}"}
    )

    assert answer.of("mysql", "fail") == ["this user may not UPDATE, DELETE in curcdr"]
    assert answer.of("mysql", "warn") == ["this user may do more than it needs: FILE everywhere"]
    assert SECRET not in answer.text


async def test_for_people(pbx: FakePbx, tmp_path: Path) -> None:
    """A server cannot move the cursor."""
    code, text = await _run(_away(_fleet(tmp_path, pbx.port)), "--pbx", "hq")

    assert code == 1
    assert f"pbx hq, 127.0.0.1:{pbx.port}\n  ok    ingest: logged in as ingest" in text
    assert "\x1b" not in text
    assert "        -> KAFKA_BOOTSTRAP_SERVERS says where Kafka is\n" in text
    assert "\n3 failed, 0 warnings, " in text


async def test_a_pbx_that_the_fleet_file_does_not_have(tmp_path: Path) -> None:
    code, text = await _run(_away(_fleet(tmp_path, 1)), "--pbx", "nope")

    assert code == 2
    assert "the fleet file has hq, not nope" in text
