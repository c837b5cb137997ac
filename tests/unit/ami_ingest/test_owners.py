"""Who may read a PBX: epochs grow, and a claim stands until a newer one is seen."""

from ami_ingest.owners import claims, known, newest, record
from legbook.contracts.status import Owner

STAMP = (1000, "w", "p")


def owner(epoch: int, pbx: str = "hq", process: str = "p", boot: int | None = None) -> Owner:
    return Owner(pbx=pbx, epoch=epoch, worker="w", process=process, boot=boot)


def test_the_first_epoch_is_the_second_of_now() -> None:
    assert claims(["hq"], {}, {}, STAMP) == {"hq": owner(1000)}


def test_an_epoch_is_above_the_last_one_though_the_clock_was_set_back() -> None:
    last = {"hq": owner(5000, process="other", boot=7)}

    assert claims(["hq"], last, {}, STAMP) == {"hq": owner(5001, boot=7)}, "and the boot is handed on"


def test_a_claim_stands_while_nobody_has_a_newer_one() -> None:
    ours = {"hq": owner(900, boot=3)}

    assert claims(["hq"], {}, ours, STAMP) == ours
    assert claims(["hq"], {"hq": owner(900)}, ours, STAMP) == ours


def test_a_newer_claim_of_somebody_else_is_outbid() -> None:
    found = claims(["hq"], {"hq": owner(2000, process="other")}, {"hq": owner(900)}, STAMP)

    assert found == {"hq": owner(2001)}


def test_what_left_the_fleet_is_not_claimed() -> None:
    assert claims([], {"hq": owner(1)}, {"hq": owner(900)}, STAMP) == {}


def test_of_two_views_the_higher_epoch_is_the_newer() -> None:
    one, other = {"a": owner(1, "a"), "b": owner(5, "b")}, {"b": owner(4, "b"), "c": owner(2, "c")}

    assert {pbx: each.epoch for pbx, each in newest(one, other).items()} == {"a": 1, "b": 5, "c": 2}


def test_records_come_back_as_they_were() -> None:
    written = record(owner(9, boot=2))

    assert written.value is not None
    assert known({written.key: written.value}) == {"hq": owner(9, boot=2)}


def test_a_record_that_cannot_be_read_stops_nobody_and_its_epoch_counts() -> None:
    """After a rollback the newest record may be of a newer version."""
    state = {b"hq": b'{"v":2,"pbx":"hq","epoch":5000,"worker":{"name":"w"}}', b"lab": b"\xff", b"dev": b"[]"}

    found = known(state)

    assert {pbx: each.epoch for pbx, each in found.items()} == {"hq": 5000, "lab": 0, "dev": 0}
    assert claims(["hq", "lab"], found, {}, STAMP) == {"hq": owner(5001), "lab": owner(1000, "lab")}
