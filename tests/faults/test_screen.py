"""What counts as flicker: the looks that the verifier must not miss, and those that are no flicker."""

from tests.faults.screen import History, Row, flickers


def _row(state: str, leg_id: int = 1) -> Row:
    return Row(leg_id, "east", f"uid{leg_id}", state, called=True, caller="")


def _seen(*looks: tuple[float, list[Row]]) -> History:
    history = History()
    for at, rows in looks:
        history.look(rows, at)
    return history


def test_a_leg_that_lives_and_ends_does_not_flicker() -> None:
    history = _seen((1.0, [_row("RING")]), (2.0, [_row("RINGING")]), (3.0, [_row("LINK")]), (4.0, []))

    assert flickers(history, {("east", "uid1"): 3.9}) == []


def test_a_row_that_goes_back_in_state() -> None:
    history = _seen((1.0, [_row("LINK")]), (2.0, [_row("RINGING")]))

    assert flickers(history, {}) == ["uid1: LINK -> RINGING"]


def test_a_row_that_is_there_again() -> None:
    history = _seen((1.0, [_row("LINK")]), (2.0, []), (3.0, [_row("LINK")]))

    assert flickers(history, {("east", "uid1"): 2.0}) == ["uid1: there again as LINK, +1.00 s from its end"]
    assert flickers(history, {}) == ["uid1: there again as LINK, its leg lives"]


def test_after_a_server_that_lost_its_table_only_the_dead_flicker() -> None:
    history = _seen((1.0, [_row("LINK", 1), _row("LINK", 2)]))
    history.away(2.0)
    history.look([], 3.0)
    history.look([_row("LINK", 1), _row("LINK", 2)], 4.0)

    assert flickers(history, {("east", "uid2"): 2.5}) == ["uid2: there again as LINK, +1.50 s from its end"]


def test_looks_that_differ_are_movement() -> None:
    history = _seen((1.0, [_row("LINK")]), (2.0, [_row("LINK")]), (3.0, []))

    assert history.moved["east"] == [1.0, 3.0]
