"""The three servers do what the services will ask of them."""

import asyncio

import pymysql
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from clickhouse_connect.driver.client import Client

from legbook.devstack import Stack
from tests.integration.devstack.clients import consume, mysql

ZERO_DATE = "answer DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00'"
UIDS = (
    "srcuid VARCHAR(40) NOT NULL, dstuid VARCHAR(40) NOT NULL, UNIQUE KEY uids (srcuid, dstuid) USING BTREE"
)
OUR_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


async def create_topic(bootstrap: str, name: str, **config: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        made = await admin.create_topics([NewTopic(name, 2, 1, topic_configs=config)])
        assert [error[1] for error in made.topic_errors] == [0]
    finally:
        await admin.close()


async def test_kafka_keeps_what_an_idempotent_producer_sends(devstack_stack: Stack) -> None:
    bootstrap = devstack_stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    await create_topic(bootstrap, "many")
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, compression_type="zstd"
    ) as producer:
        await asyncio.gather(
            *[await producer.send("many", b"%d" % i, key=b"%d" % (i % 7)) for i in range(1000)]
        )
    assert len(set(await consume(bootstrap, "many", 1000))) == 1000


async def test_kafka_takes_a_message_of_9_mib(devstack_stack: Stack) -> None:
    bootstrap, size = devstack_stack.env["KAFKA_BOOTSTRAP_SERVERS"], 9 << 20
    await create_topic(bootstrap, "large", **{"max.message.bytes": str(16 << 20)})
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=16 << 20) as producer:
        await producer.send_and_wait("large", b"x" * size, partition=0)
    (value,) = await consume(bootstrap, "large", 1)
    assert len(value) == size


def test_mysql_is_as_strict_as_mysql_8(devstack_stack: Stack) -> None:
    with mysql(devstack_stack.env["MYSQL_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@global.sql_mode, @@global.max_heap_table_size")
        mode, heap = cursor.fetchone() or ("", 0)
        assert "NO_ZERO_DATE" in mode
        assert heap == 256 << 20
        with pytest.raises(pymysql.err.OperationalError, match="1067"):
            cursor.execute(f"CREATE TABLE refused ({UIDS}, {ZERO_DATE}) ENGINE=MEMORY")


def test_mysql_takes_zero_dates_in_a_session_that_asks_for_them(devstack_stack: Stack) -> None:
    with mysql(devstack_stack.env["MYSQL_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode=%s", (OUR_MODE,))
        cursor.execute(f"CREATE TABLE curcdr ({UIDS}, {ZERO_DATE}) ENGINE=MEMORY")
        cursor.executemany(
            "INSERT INTO curcdr (srcuid, dstuid) VALUES (%s, %s) ON DUPLICATE KEY UPDATE dstuid=VALUES(dstuid)",
            [(f"a{number % 500}", "b") for number in range(1000)],
        )
        cursor.execute("SELECT count(*), min(answer) FROM curcdr")
        assert cursor.fetchone() == (500, "0000-00-00 00:00:00")


def test_mysql_user_may_make_databases(devstack_stack: Stack) -> None:
    with mysql(devstack_stack.env["MYSQL_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE another")
        cursor.execute("DROP DATABASE another")


def test_clickhouse_uses_the_database_of_its_address(ch: Client) -> None:
    assert ch.command("SELECT currentDatabase()") == "legbook"
