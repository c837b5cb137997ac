"""What the texts of Asterisk mean: extensions, durations, the data of a Dial, variables of a list."""

import pytest

from legbook.calls import listed
from legbook.calls.extens import usable
from legbook.calls.state import Listed


@pytest.mark.parametrize(
    ("exten", "context", "said"),
    [
        ("202", "from-internal", "202"),
        *[(artefact, "from-internal", None) for artefact in ("", "s", "h", "i", "t", "T", "o", "a", "~~s~~")],
        ("202", "macro-dial", None),
        ("202", "sub-record", None),
        ("s-BUSY", "from-internal", None),
        ("s-busy", "from-internal", "s-busy"),
        ("s-BUSY1", "from-internal", "s-BUSY1"),
        ("FMPR-202", "from-internal", "202"),
        ("FMGL-202", "from-internal", "202"),
        ("LC-202", "from-internal", "202"),
        ("202-LC-", "from-internal", "202-LC-"),
    ],
)
def test_the_extension_as_a_person_would_say_it(exten: str, context: str, said: str | None) -> None:
    assert usable(exten, context) == said


@pytest.mark.parametrize(
    ("data", "channel", "meant"),
    [
        ("SIP/202", "SIP/202-00000002", True),
        ("SIP/202,20,tT", "SIP/202-00000002", True),
        ("SIP/201&SIP/202,20", "SIP/202-00000002", True),
        ("sip/202", "SIP/202-00000002", True),
        ("SIP/2020", "SIP/202-00000002", False),
        ("PJSIP/202", "SIP/202-00000002", False),
        ("", "SIP/202-00000002", False),
        ("SIP/201,20,U(SIP/202)", "SIP/202-00000002", False),
        ("SIP/sipto45/0555", "SIP/sipto45-00000002", True),
        ("PJSIP/0555@sipto45", "PJSIP/sipto45-00000002", True),
        ("PJSIP/0555@sipto45", "PJSIP/555-00000002", False),
        ("Local/202@x/n,10", "Local/202@x-00000001;1", True),
        ("Local/202@x", "Local/202@x-00000001;1", True),
        ("Local/203@x/n", "Local/202@x-00000001;1", False),
    ],
)
def test_which_channel_the_data_of_a_dial_may_mean(data: str, channel: str, meant: bool) -> None:  # noqa: FBT001
    dial = Listed(uniqueid="1.1", name="SIP/201-00000001", application="Dial", data=data)

    assert listed.names(dial, channel) is meant


def test_a_queue_may_mean_anybody() -> None:
    queue = Listed(uniqueid="1.1", name="SIP/201-00000001", application="Queue", data="500,tT")

    assert listed.names(queue, "SIP/202-00000002")


@pytest.mark.parametrize(
    ("application", "linkedid", "dialled"),
    [
        ("AppDial", "1.1", True),
        ("AppQueue", "1.1", True),
        ("AppDial", "1.2", True),
        ("Dial", "1.1", False),
        ("", "1.1", True),  # born this moment into the call of another one
        ("", "1.2", False),
    ],
)
def test_which_channel_of_a_list_was_dialled(application: str, linkedid: str, dialled: bool) -> None:  # noqa: FBT001
    phone = Listed(uniqueid="1.2", name="SIP/202-00000002", linkedid=linkedid, application=application)

    assert listed.is_dialled(phone) is dialled


@pytest.mark.parametrize(("duration", "age"), [("01:02:03", 3723), ("100:00:00", 360000), ("", 0), ("5", 0)])
def test_the_age_of_a_listed_channel(duration: str, age: int) -> None:
    assert listed.of_item({"Uniqueid": "1.1", "Channel": "x", "Duration": duration}).age == age


@pytest.mark.parametrize(
    ("variables", "number"),
    [
        ("DID=30900", "30900"),
        ("FROM_DID=30900", "30900"),
        (["DID=", "FROM_DID=30900"], "30900"),
        (["DID=(null)", "FROM_DID=30900"], "30900"),
        (["DID=30900", "FROM_DID=30905"], "30900"),
        ("DID=(null)", ""),
        ("EXTEN=30900", ""),
        ([], ""),
    ],
)
def test_the_number_called_as_a_list_says_it(variables: str | list[str], number: str) -> None:
    assert listed.did_of({"Variable": variables}) == number
