"""Kafka: its brokers, and whether the topics are there as `legbook topics apply` makes them. Writes nothing.

The protocol does not tell the version of a broker. All topics are asked for: asked by name, Kafka may make them.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from legbook.cli.doctor.finding import Finding, Findings, fail, ok, warn
from legbook.cli.reaching import PATIENCE, UNREACHABLE, why
from legbook.contracts.topics import TOPICS, Topic, dlq_topics
from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings, load

_APPLY: Final = "legbook topics apply"
_LOGIN: Final = "correct it: docs/how-to/secure-kafka.md has all KAFKA_… that a login needs"
_INSYNC: Final = "kafka-configs.sh --alter --add-config min.insync.replicas=2 (of 3 copies)"
_BREAKS: Final = frozenset({"cleanup.policy", "max.message.bytes"})  # other settings are a matter of taste


@dataclass(frozen=True, slots=True)
class Facts:
    """`topics`: as Kafka describes those that we may see; `configs`: settings, or the code of a refusal."""

    brokers: int
    topics: Mapping[str, Mapping[str, Any]]
    configs: Mapping[str, Mapping[str, str] | int]


async def check() -> Findings:
    try:
        async with asyncio.timeout(PATIENCE):
            facts = await _ask(load(KafkaSettings))
    except UNREACHABLE as error:
        seen, hint, todo = why(error).rpartition("; ")
        yield fail(seen or todo, todo if hint else _LOGIN)
        return
    for finding in judged(facts):
        yield finding


async def _ask(settings: KafkaSettings) -> Facts:
    async with kafka.admin(settings) as client:
        cluster = await client.describe_cluster()
        topics = {each["topic"]: each for each in await client.describe_topics()}
        resources = [ConfigResource(ConfigResourceType.TOPIC, each.name) for each in _wanted()]
        answers = await client.describe_configs(resources)
    configs = dict[str, Mapping[str, str] | int]()
    for answer in answers:
        for code, _text, _kind, name, entries in answer.resources:
            configs[name] = code or {each[0]: each[1] for each in entries}
    return Facts(len(cluster["brokers"]), topics, configs)


def _wanted() -> tuple[Topic, ...]:
    return (*TOPICS, *dlq_topics())


def judged(facts: Facts) -> Iterator[Finding]:
    yield ok(f"reached, {facts.brokers} broker{'s' if facts.brokers > 1 else ''}")
    there = [topic for topic in _wanted() if topic.name in facts.topics]
    findings = [*_absent(facts), *_partitions(facts, there), *_settings(facts, there), *_copies(facts, there)]
    yield from findings
    if there and not findings:
        partitions = len(facts.topics[there[0].name]["partitions"])
        yield ok(f"{len(there)} topics of {partitions} partitions, as `{_APPLY}` makes them")


def _absent(facts: Facts) -> Iterator[Finding]:
    absent = [topic.name for topic in _wanted() if topic.name not in facts.topics]
    hidden = [name for name in absent if facts.configs.get(name) == kafka.NOT_ALLOWED]
    missing = [name for name in absent if name not in hidden]
    if hidden:
        yield fail(
            f"this Kafka user may not see {', '.join(hidden)}",
            "an ACL for this user: docs/how-to/secure-kafka.md has them",
        )
    if missing:
        yield fail(f"not there: {', '.join(missing)}", f"{_APPLY} (with --replication 1 on a single broker)")


def _partitions(facts: Facts, there: list[Topic]) -> Iterator[Finding]:
    counts = {topic.name: len(facts.topics[topic.name]["partitions"]) for topic in there}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        yield fail(
            f"the numbers of partitions differ: {told}",
            "a PBX must have the same partition everywhere: stop legbook, delete those that differ, run "
            f"{_APPLY} --partitions N",
        )
    for topic in there:
        headless = [
            each["partition"] for each in facts.topics[topic.name]["partitions"] if each["leader"] < 0
        ]
        if headless:
            yield fail(
                f"{topic.name}: no leader for partitions {headless}", "bring the broker back that has them"
            )


def _settings(facts: Facts, there: list[Topic]) -> Iterator[Finding]:
    for topic in there:
        config = facts.configs.get(topic.name, {})
        if isinstance(config, int):
            yield warn(
                f"{topic.name}: settings cannot be seen: {for_code(config).__name__}",
                "an ACL: DescribeConfigs on pbx.*",
            )
            continue
        wrong = {key: value for key, value in topic.config.items() if config.get(key) != value}
        if wrong:
            told = ", ".join(f"{key} is {config.get(key)}, not {value}" for key, value in wrong.items())
            yield (fail if wrong.keys() & _BREAKS else warn)(f"{topic.name}: {told}", _APPLY)


def _copies(facts: Facts, there: list[Topic]) -> Iterator[Finding]:
    """Topics with the same weakness are one finding."""
    weak: dict[tuple[str, str], list[str]] = {}
    for topic in there:
        for weakness in _weaknesses(facts, topic):
            weak.setdefault(weakness, []).append(topic.name)
    for (what, todo), names in weak.items():
        some = f"all {len(there)} topics" if len(names) == len(there) else ", ".join(names)
        yield warn(f"{some}: {what}", todo)


def _weaknesses(facts: Facts, topic: Topic) -> Iterator[tuple[str, str]]:
    partitions, config = facts.topics[topic.name]["partitions"], facts.configs.get(topic.name)
    copies = min(len(each["replicas"]) for each in partitions)
    insync = int(config.get("min.insync.replicas", 1)) if isinstance(config, Mapping) else None
    if copies == 1:
        yield "one copy: who loses the broker loses it", "three brokers, then kafka-reassign-partitions.sh"
    elif insync is not None and insync >= copies:
        yield (
            f"min.insync.replicas is {insync} of {copies}: nothing is written while one broker restarts",
            _INSYNC,
        )
    elif insync == 1:
        yield "min.insync.replicas is 1: what one broker has alone may be lost", _INSYNC
    if any(len(each["isr"]) < len(each["replicas"]) for each in partitions):
        yield "a copy is behind", "is a broker away, or its disk full?"
