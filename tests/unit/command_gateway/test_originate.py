"""What a click-to-dial becomes: an exten of a context that the fleet file names, never an application."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from command_gateway import reading
from command_gateway.refusals import RefusedError
from command_gateway.verbs.originate import plan
from legbook.contracts import codec
from legbook.contracts.commands import Originate
from legbook.contracts.examples import ORIGINATE
from legbook.runtime.fleet import Policy

POLICY = Policy(contexts=["from-internal"], endpoints=["PJSIP/2*", "PJSIP/door", "PJSIP/*@sipto45"])


def command(**more: Any) -> Originate:
    return replace(ORIGINATE, args=replace(ORIGINATE.args, **more))


def read(**more: Any) -> Any:
    """As it comes off the topic."""
    message = json.loads(codec.encode(ORIGINATE))
    message["args"] |= more
    value = json.dumps(message).encode()
    return reading.read(reading.open_(value), value)


def test_the_action_to_the_letter() -> None:
    found = plan(ORIGINATE, POLICY)

    assert found.actions == (
        (
            ("Action", "Originate"),
            ("Channel", "PJSIP/201"),
            ("Context", "from-internal"),
            ("Exten", "90555123"),
            ("Priority", "1"),
            ("Timeout", "20000"),
            ("CallerID", '"Click to dial" <201>'),
            ("ChannelId", ORIGINATE.command_id),
            ("Async", "true"),
        ),
    )
    assert (found.uniqueids, found.gone, found.takes) == ((ORIGINATE.command_id,), (), 20.0)


def test_without_a_caller_id_none_is_set() -> None:
    (action,) = plan(command(caller_name="", caller_number=""), POLICY).actions
    assert "CallerID" not in dict(action)


def test_the_number_first() -> None:
    (action,) = plan(command(endpoint="Local/90555123@from-internal", exten="201"), POLICY).actions
    assert dict(action)["Channel"] == "Local/90555123@from-internal"


@pytest.mark.parametrize("endpoint", ["PJSIP/201", "PJSIP/2", "PJSIP/door", "PJSIP/555@sipto45"])
def test_what_the_policy_names(endpoint: str) -> None:
    assert plan(read(endpoint=endpoint), POLICY).actions


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"endpoint": "PJSIP/301"}, "args.endpoint: PJSIP/301 is not in pbx.hq.policy.endpoints"),
        ({"endpoint": "SIP/201"}, "args.endpoint: SIP/201"),
        ({"endpoint": "PJSIP/doors"}, "args.endpoint: PJSIP/doors"),
        ({"endpoint": "PJSIP/201@othertrunk"}, "args.endpoint: PJSIP/201@othertrunk"),
        ({"endpoint": "Local/201@from-trunk"}, "args.endpoint: from-trunk is not in pbx.hq.policy.contexts"),
        ({"context": "from-trunk"}, "args.context: from-trunk is not in pbx.hq.policy.contexts"),
    ],
)
def test_what_the_policy_does_not_name(more: dict[str, Any], named: str) -> None:
    with pytest.raises(RefusedError, match=named) as error:
        plan(read(**more), POLICY)
    assert error.value.reason == "not_allowed"


def test_without_a_policy_nothing_is_allowed() -> None:
    with pytest.raises(RefusedError, match="policy.contexts"):
        plan(ORIGINATE, Policy())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("endpoint", text)
            for text in (
                "", "PJSIP", "PJSIP/", "PJSIP/201&PJSIP/202", "PJSIP/201/n", "DAHDI/1", "PJSIP/${EVIL}",
                "Local/201@from-internal/n", "Local/x@from-internal", "Local/201", "/.*/",
                " PJSIP/201", "PJSIP/201\n",
            )
        ),
        *(("exten", text) for text in ("", "s", "1&2", "300&Zap/g1/4165551212", "1,1", "1\r\nAction: x", "1" * 33)),
        *(("context", text) for text in ("", "a b", "a,1", "a\n", "x" * 80)),
        *(("ring", value) for value in (0, 61, "30", 1.5, True)),
        *(("caller_name", text) for text in ('a"b', "<1>", "a\nb", "$(x)", "a;b", "x" * 65, "a,b", "`x`")),
        *(("caller_number", text) for text in ("a", "1 2", '1"', "1" * 33)),
        ("application", "System"), ("data", "x"), ("variables", {"A": "b"}), ("priority", 2),
    ],
)  # fmt: skip
def test_what_could_be_something_else_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(RefusedError, match=field) as error:
        read(**{field: value})
    assert error.value.reason == "bad_field"


@pytest.mark.parametrize(
    "name", ["J\u00fcrgen O'Brien-Smith", "\u0418\u0432\u0430\u043d", "\u7530\u4e2d", "Room 7.1_b"]
)
def test_names_that_people_have(name: str) -> None:
    (action,) = plan(read(caller_name=name), POLICY).actions
    assert dict(action)["CallerID"] == f'"{name}" <201>'
