import pytest
from hypothesis import given
from hypothesis import strategies as st

from legbook.ami.names import device_of, is_local, is_real, known, other_half


@pytest.mark.parametrize(
    ("channel", "device"),
    [
        ("PJSIP/sipto45-00000002", "sipto45"),
        ("PJSIP/sip-to-45-0000000a", "sip-to-45"),
        ("SIP/201-ffffffff", "201"),
        ("SIP/10.0.0.5-0000001f", "10.0.0.5"),
        ("Local/202@from-queue-0000001a;2", "202@from-queue"),
        ("Local/202@from-queue-0000001a;1", "202@from-queue"),
        ("local/202@from-queue-0000001a;1", "202@from-queue"),
        ("DAHDI/1-1", "1-1"),
        ("DAHDI/i1/5551234-1c", "i1/5551234-1c"),
        ("IAX2/trunk-a-12345", "trunk-a-12345"),
        ("PJSIP/a-00000001-00000002", "a-00000001"),
        ("PJSIP/x-0000000A", "x-0000000A"),
        ("PJSIP/x-0000000a\n", "x-0000000a\n"),
        ("PJSIP/x-0000000a;3", "x-0000000a;3"),
        ("PJSIP/x-0000000", "x-0000000"),
        ("noslash", "noslash"),
        ("noslash-00000001", "noslash"),
        ("", ""),
    ],
)
def test_the_device_of_a_channel(channel: str, device: str) -> None:
    assert device_of(channel) == device


@pytest.mark.parametrize(
    "channel",
    [
        "PJSIP/201-00000001",
        "SIP/201-00000001",
        "DAHDI/1-1",
        "IAX2/a-1",
        "Localnet/x-00000001",
        "PJSIP/Local/x",
    ],
)
def test_real_channels(channel: str) -> None:
    assert is_real(channel)
    assert is_real(channel.upper())
    assert not is_local(channel)
    assert other_half(channel) is None


@pytest.mark.parametrize(
    "kind", ["Local", "CBAnn", "CBRec", "Announcer", "Recorder", "Surrogate", "AsyncGoto", "Message"]
)
def test_helpers_are_not_real_in_any_case(kind: str) -> None:
    for name in (kind, kind.lower(), kind.upper()):
        assert not is_real(f"{name}/x-00000001;1")


def test_the_spied_and_the_moved_are_helpers() -> None:
    assert not is_real("AsyncGoto/PJSIP/201-00000003")
    assert not is_real("Surrogate/PJSIP/201-00000003")
    assert not is_real("")


@pytest.mark.parametrize("kind", ["Local", "local", "LOCAL"])
def test_the_halves_of_a_local_channel(kind: str) -> None:
    one, two = f"{kind}/202@from-queue-0000001a;1", f"{kind}/202@from-queue-0000001a;2"
    assert is_local(one)
    assert (other_half(one), other_half(two)) == (two, one)


@pytest.mark.parametrize(
    "channel", ["Local/1@a-00000001", "Local/1@a-00000001;3", "Local/;", "Local/", "Local", ""]
)
def test_what_is_no_half(channel: str) -> None:
    assert other_half(channel) is None


@pytest.mark.parametrize("channel", ["PJSIP/x-00000001;1", "SIP/a;2"])
def test_only_local_channels_have_halves(channel: str) -> None:
    assert other_half(channel) is None


def test_asterisks_word_for_unknown() -> None:
    assert [known(text) for text in ("<unknown>", "", "201", "<UNKNOWN>", "unknown")] == [
        "", "", "201", "<UNKNOWN>", "unknown",
    ]  # fmt: skip


@given(st.text(max_size=30) | st.text("Local/@-;120a", max_size=30))
def test_any_text_is_answered(text: str) -> None:
    device_of(text)
    assert not (is_local(text) and is_real(text))
    if (other := other_half(text)) is not None:
        assert other != text
        assert other_half(other) == text
        assert device_of(other) == device_of(text)
