"""Topics as Kafka describes them, held against the one table of topics."""

from collections.abc import Mapping
from typing import Any

from legbook.cli.doctor.finding import Finding, Level
from legbook.cli.doctor.kafka import Facts, judged
from legbook.contracts.topics import LEGS, OWNERS, RAW, TOPICS, dlq_topics

ALL = (*TOPICS, *dlq_topics())


def _topic(partitions: int = 4, copies: int = 3, isr: int | None = None, leader: int = 1) -> dict[str, Any]:
    replicas = list(range(1, copies + 1))
    alive = replicas[: copies if isr is None else isr]
    return {
        "partitions": [
            {"partition": number, "leader": leader, "replicas": replicas, "isr": alive}
            for number in range(partitions)
        ]
    }


def _facts(
    topics: Mapping[str, Mapping[str, Any] | None] | None = None,
    configs: Mapping[str, Mapping[str, str] | int] | None = None,
) -> Facts:
    """All as it should be, but for what is given; None: not there."""
    described = {**{each.name: _topic() for each in ALL}, **(topics or {})}
    settings = {each.name: {**each.config, "min.insync.replicas": "2"} for each in ALL}
    present = {name: topic for name, topic in described.items() if topic is not None}
    return Facts(3, present, {**settings, **(configs or {})})


def _bad(facts: Facts) -> list[Finding]:
    return [each for each in judged(facts) if each.level is not Level.ok]


def _config(name: str, **changed: str) -> dict[str, str]:
    (topic,) = (each for each in ALL if each.name == name)
    return {
        **topic.config,
        "min.insync.replicas": "2",
        **{k.replace("_", "."): v for k, v in changed.items()},
    }


def test_all_well() -> None:
    findings = list(judged(_facts()))

    assert {each.level for each in findings} == {Level.ok}
    assert [each.seen for each in findings] == [
        "reached, 3 brokers",
        "11 topics of 4 partitions, as `legbook topics apply` makes them",
    ]


def test_a_missing_topic_is_told_from_one_that_may_not_be_seen() -> None:
    missing, hidden = LEGS.name, OWNERS.name
    findings = _bad(_facts({missing: None, hidden: None}, {missing: 3, hidden: 29}))

    assert [(each.level, each.seen) for each in findings] == [
        (Level.fail, f"this Kafka user may not see {hidden}"),
        (Level.fail, f"not there: {missing}"),
    ]
    assert "ACL" in findings[0].todo
    assert findings[1].todo.startswith("legbook topics apply")


def test_no_topic_at_all() -> None:
    (finding,) = _bad(_facts(dict.fromkeys((each.name for each in ALL), None)))

    assert finding.level is Level.fail
    assert all(each.name in finding.seen for each in ALL)


def test_partitions_must_be_equal_in_number() -> None:
    (finding,) = _bad(_facts({RAW.name: _topic(partitions=12)}))

    assert finding.level is Level.fail
    assert f"{RAW.name} 12" in finding.seen


def test_a_partition_without_a_leader() -> None:
    (finding,) = _bad(_facts({RAW.name: _topic(leader=-1)}))

    assert (finding.level, finding.seen) == (Level.fail, f"{RAW.name}: no leader for partitions [0, 1, 2, 3]")


def test_a_setting_that_breaks_legbook_fails_and_another_warns() -> None:
    broken = _config(LEGS.name, cleanup_policy="delete")
    (fails,) = _bad(_facts(configs={LEGS.name: broken}))
    (warns,) = _bad(_facts(configs={RAW.name: _config(RAW.name, retention_ms="1000")}))

    assert (fails.level, fails.seen) == (Level.fail, f"{LEGS.name}: cleanup.policy is delete, not compact")
    assert (warns.level, warns.seen) == (Level.warn, f"{RAW.name}: retention.ms is 1000, not 604800000")
    assert fails.todo == warns.todo == "legbook topics apply"


def test_settings_that_may_not_be_seen_warn() -> None:
    (finding,) = _bad(_facts(configs={RAW.name: 29}))

    assert finding.level is Level.warn
    assert "TopicAuthorizationFailedError" in finding.seen


def test_copies() -> None:
    one = _bad(_facts({each.name: _topic(copies=1) for each in ALL}))
    tight = _bad(_facts({RAW.name: _topic(copies=2)}))
    loose = _bad(_facts(configs={RAW.name: _config(RAW.name, min_insync_replicas="1")}))
    behind = _bad(_facts({RAW.name: _topic(isr=2)}))

    assert [each.seen for each in one] == ["all 11 topics: one copy: who loses the broker loses it"]
    for findings, seen in (
        (tight, "is 2 of 2"),
        (loose, "is 1: what one broker"),
        (behind, "a copy is behind"),
    ):
        (finding,) = findings
        assert finding.level is Level.warn
        assert finding.seen.startswith(f"{RAW.name}: ")
        assert seen in finding.seen
