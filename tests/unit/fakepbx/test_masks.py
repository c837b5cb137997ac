import pytest

from legbook.fakepbx.masks import ALL, NONE, parse_mask, wants


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("", None),
        ("on", ALL),
        ("ALL", ALL),
        ("call,all", ALL),
        ("off", NONE),
        ("0", NONE),
        ("call, CDR,nonsense", frozenset({"call", "cdr"})),
        ("nonsense", NONE),
        ("1026", frozenset({"call", "cdr"})),
    ],
)
def test_masks(text: str, mask: frozenset[str] | None) -> None:
    assert parse_mask(text) == mask


def test_an_event_needs_every_class_of_it() -> None:
    mask = frozenset({"call", "cdr"})
    assert wants(mask, frozenset({"call"}))
    assert not wants(mask, frozenset({"call", "system"}))
    assert wants(ALL, frozenset({"a class of next year"}))
    assert not wants(NONE, frozenset())
