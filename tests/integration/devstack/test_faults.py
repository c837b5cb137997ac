"""Servers that end while the stack runs: they come back on the same port, with the data that was there."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from legbook.devstack import Stack, StackError
from tests.integration.devstack.clients import clickhouse, consume, mysql


async def test_kafka_comes_back_after_kill_9(devstack_stack: Stack) -> None:
    bootstrap = devstack_stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait("kept", b"before")

    devstack_stack.kill("kafka")
    assert devstack_stack.ended() == {"kafka": -9}
    devstack_stack.start_server("kafka")

    assert await consume(bootstrap, "kept", 1) == [b"before"]
    assert devstack_stack.seconds["kafka"] < 15


def test_mysql_comes_back_after_kill_9(devstack_stack: Stack) -> None:
    with mysql(devstack_stack.env["MYSQL_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (a INT) ENGINE=InnoDB")
        cursor.execute("INSERT INTO kept VALUES (1)")
    devstack_stack.kill("mysql")
    devstack_stack.start_server("mysql")
    with mysql(devstack_stack.env["MYSQL_URL"]) as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT * FROM kept") == 1


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_clickhouse_comes_back(devstack_stack: Stack, ch_url: str, how: str) -> None:
    client = clickhouse(ch_url)
    client.command("CREATE OR REPLACE TABLE kept (a UInt32) ENGINE=MergeTree ORDER BY a")
    client.raw_insert("kept", None, "".join(f"{number}\n" for number in range(1000)), fmt="CSV")
    getattr(devstack_stack, how)("clickhouse")
    assert devstack_stack.ended() == {"clickhouse": -9 if how == "kill" else 0}
    devstack_stack.start_server("clickhouse")
    assert client.command("SELECT count() FROM kept") == 1000
    client.close()


def test_a_running_server_is_not_started_twice(devstack_stack: Stack) -> None:
    with pytest.raises(StackError, match="mysql runs"):
        devstack_stack.start_server("mysql")
