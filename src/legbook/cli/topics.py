"""`legbook topics apply`: creates the topics that are missing and corrects the settings of those that are there."""

import asyncio
from typing import Annotated

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from legbook.cli.reaching import PATIENCE, UNREACHABLE, why
from legbook.contracts.topics import TOPICS, Topic, dlq_topics
from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings, load
from legbook.runtime.stop import CANNOT_START, CannotStartError

app = typer.Typer(no_args_is_help=True, help="The topics of legbook.")


@app.callback()
def group() -> None:
    """The topics of legbook."""


@app.command()
def apply(
    partitions: Annotated[int, typer.Option(min=1, help="Of new topics; fixed for the life of a set.")] = 12,
    replication: Annotated[int, typer.Option(min=1, help="Copies; 3 in production, 1 on one broker.")] = 3,
) -> None:
    """Create what is missing, alter what differs, re-create nothing."""
    try:
        for line in asyncio.run(_apply(load(KafkaSettings), partitions, replication)):
            typer.echo(line)
    except UNREACHABLE as error:
        typer.echo(f"legbook topics apply: {why(error)}", err=True)
        raise typer.Exit(CANNOT_START) from None


async def _apply(settings: KafkaSettings, partitions: int, replication: int) -> list[str]:
    async with asyncio.timeout(PATIENCE) as limit, kafka.admin(settings) as client:
        there = await _partitions(client)
        limit.reschedule(None)  # it answers: making topics takes as long as it takes
        return [
            await _one(client, topic, there, partitions, replication) for topic in (*TOPICS, *dlq_topics())
        ]


async def _partitions(client: AIOKafkaAdminClient) -> dict[str, int]:
    return {t["topic"]: len(t["partitions"]) for t in await client.describe_topics()}


async def _one(
    client: AIOKafkaAdminClient, topic: Topic, there: dict[str, int], partitions: int, replication: int
) -> str:
    if topic.name not in there:
        config = {**topic.config, "min.insync.replicas": str(max(1, replication - 1))}
        answer = await client.create_topics(
            [NewTopic(topic.name, partitions, replication, topic_configs=config)]
        )
        for _, code, *text in answer.topic_errors:
            if code:
                raise for_code(code)(f"{topic.name}: {' '.join(filter(None, text))}")
        return f"{topic.name}: created, {partitions} partitions"
    if there[topic.name] != partitions:
        raise CannotStartError(
            f"{topic.name} has {there[topic.name]} partitions, not {partitions}: their number is fixed "
            f"(--partitions {there[topic.name]})"
        )
    wanted = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=topic.config)
    for answer in await client.alter_configs([wanted]):
        for code, text, *_ in answer.resources:
            if code:
                raise for_code(code)(f"{topic.name}: settings: {text or ''}")
    return f"{topic.name}: settings applied"
