from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legbook.ami.framing import CAP, END, LINE, Frame, Framer
from tests.unit.ami.recorded import BANNER, BYTES, PIECES, framer, in_slices

ONCE = [Frame(piece.removesuffix(END)) for piece in PIECES]
NEXT = b"Event: Next\r\nA: b" + END


class Counting(bytearray):
    """Adds up how many bytes a framer looks at and moves: its work, whatever the machine."""

    work = 0

    def find(self, *args: object) -> int:
        self.work += len(self) - (int(str(args[1])) if len(args) > 1 else 0)
        return super().find(*args)  # type: ignore[arg-type]

    def rfind(self, *args: object) -> int:
        self.work += len(self)
        return super().rfind(*args)  # type: ignore[arg-type]


def counting(made: Framer) -> Counting:
    made._buffer = counted = Counting(made._buffer)
    return counted


def kept(made: Framer) -> int:
    """Bytes that it holds on to."""
    return len(made._buffer) + len(made._head or b"")


def test_the_recording_is_what_it_seems() -> None:
    assert BANNER == b"Asterisk Call Manager/11.0.0"
    assert len(ONCE) == 160
    made = Framer()
    assert made.feed(BYTES) == ONCE
    assert (made.banner, made.pending) == (BANNER, 0)


def test_a_cut_at_every_byte_changes_nothing() -> None:
    """Each frame, cut everywhere, with the whole one behind it; the greeting too."""
    for first, second in pairwise([BANNER + LINE, *PIECES]):
        together, begun = first + second, first is not PIECES[0] and first.startswith(BANNER)
        wanted = (Framer() if begun else framer()).feed(together)
        for cut in range(1, len(first) + len(END)):
            made = Framer() if begun else framer()
            assert made.feed(together[:cut]) + made.feed(together[cut:]) == wanted, (first, cut)
            assert (made.banner, made.pending) == (BANNER, 0)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000, 1448])
def test_slices_of_one_size_change_nothing(size: int) -> None:
    assert in_slices(Framer(), BYTES, size) == ONCE


@given(st.lists(st.integers(0, len(BYTES)), max_size=40))
def test_any_slicing_gives_the_same_frames(cuts: list[int]) -> None:
    made = Framer()
    places = [0, *sorted(cuts), len(BYTES)]
    assert [frame for a, b in pairwise(places) for frame in made.feed(BYTES[a:b])] == ONCE


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"E: v\r\n", END, b"long: " + b"x" * 30])),
    st.lists(st.integers(1, 9), min_size=1),
    st.sampled_from([0, 1, 7, 20, 64, CAP]),
)
def test_any_bytes_in_any_slices_with_any_cap(pieces: list[bytes], sizes: list[int], cap: int) -> None:
    data = b"".join(pieces)
    whole, sliced, frames, at = framer(cap), framer(cap), [], 0
    wanted = whole.feed(data)
    while at < len(data):
        size = sizes[at % len(sizes)]
        frames += sliced.feed(data[at : at + size])
        at += size
        assert kept(sliced) <= 2 * cap + len(END) + 9
    assert frames == wanted
    assert sliced.pending == whole.pending
    sent = sum(len(frame.data) + frame.dropped + len(END) for frame in frames)
    assert sent + whole.pending == len(data), "every byte is in a frame, dropped and counted, or pending"
    assert all(len(frame.data) <= cap for frame in frames)


def test_a_bare_line_feed_is_part_of_the_value() -> None:
    """As `Action: Park` answers (recording 11a)."""
    (frame,) = framer().feed(b"Response: Success\r\nMessage: Park successful\n\r\n\r\n")
    assert frame.data.endswith(b"Park successful\n")
    (frame,) = framer().feed(b"A: 1\n\nB: 2\r\rC: 3\n\r\nD: 4\r\n\r\n")
    assert frame.data == b"A: 1\n\nB: 2\r\rC: 3\n\r\nD: 4"


def test_the_greeting_ends_at_its_first_crlf_wherever_it_is_cut() -> None:
    for cut in range(len(BANNER) + 3):
        made, data = Framer(), BANNER + LINE + NEXT
        frames = made.feed(data[:cut])
        assert made.banner == (BANNER if cut >= len(BANNER + LINE) else None)
        assert frames + made.feed(data[cut:]) == [Frame(NEXT.removesuffix(END))]


def test_a_line_feed_does_not_end_the_greeting() -> None:
    made = Framer()
    made.feed(b"SSH-2.0-OpenSSH_9.2\nmore\r\n")
    assert made.banner == b"SSH-2.0-OpenSSH_9.2\nmore"


def test_a_greeting_that_never_ends_is_not_kept() -> None:
    made = Framer(1000)
    for _ in range(100):
        assert made.feed(b"x" * 500) == []
        assert kept(made) <= 1000


HEAD = b"Event: Big\r\nOne: 1\r\n"
BIG = HEAD + b"Huge: " + b"y" * 2_000_000 + b"\r\nLast: z" + END


@pytest.mark.parametrize("size", [1, 100, 70_000, len(BIG)])
def test_two_megabytes_in_slices(size: int) -> None:
    made, frames, most = framer(), [], 0
    for at in range(0, len(BIG), size):
        frames += made.feed(BIG[at : at + size])
        most = max(most, kept(made))
    head = HEAD.removesuffix(LINE)
    assert frames == [Frame(head, len(BIG) - len(END) - len(head))]
    assert most <= CAP + size + len(END)
    assert made.feed(NEXT) == [Frame(NEXT.removesuffix(END))]
    assert made.pending == 0


def test_a_half_big_frame_is_pending_with_all_its_bytes() -> None:
    made = framer()
    in_slices(made, BIG[:1_500_001], 9999)
    assert made.pending == 1_500_001


@pytest.mark.parametrize("cut", range(1, len(END)))
def test_an_end_that_straddles_the_slice_that_is_shed(cut: int) -> None:
    """The first slice passes the cap and stops inside the END; so does one behind it."""
    for body in (100, 101, 102, 103, 104, 105, 500):
        made, data = framer(100), b"A: b\r\n" + b"x" * (body - 6)
        frames = made.feed(data + END[:cut]) + made.feed(END[cut:] + NEXT)
        head = data if body <= 100 else b"A: b"
        assert frames == [Frame(head, body - len(head)), Frame(NEXT.removesuffix(END))]


def test_an_end_that_straddles_two_slices_after_the_shed() -> None:
    made = framer(100)
    assert made.feed(b"A: b\r\n" + b"x" * 300) == []
    for byte in b"\r\n\r":
        assert made.feed(bytes([byte])) == []
    assert made.feed(b"\n") == [Frame(b"A: b", 302)]


def test_what_looks_like_an_end_after_the_shed_is_not_one() -> None:
    made = framer(100)
    made.feed(b"A: b\r\n" + b"x" * 300)
    odd = [b"\r\n", b"\n\r", b"\r\n\r", b"q\n\r\n", b"\n\r\n", b"\r\r", b"\n\r"]
    assert [frame for data in odd for frame in made.feed(data)] == []
    assert made.feed(b"\n" + NEXT) == [
        Frame(b"A: b", 302 + sum(map(len, odd)) - 3),
        Frame(NEXT.removesuffix(END)),
    ]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_cap_exactly(size: int) -> None:
    """A frame of the cap is whole, one byte more costs the line that passes it."""
    line = b"Event: E\r\n"
    full = line + b"A: " + b"v" * (200 - len(line) - 3)
    assert in_slices(framer(200), full + END + NEXT, size) == [Frame(full), Frame(NEXT.removesuffix(END))]
    assert in_slices(framer(200), full + b"v" + END, size) == [Frame(line.removesuffix(LINE), 193)]


def test_a_first_line_over_the_cap_leaves_an_empty_head() -> None:
    assert framer(50).feed(b"Event: " + b"E" * 100 + END) == [Frame(b"", 107)]


def test_a_line_that_ends_at_the_cap() -> None:
    line = b"A: " + b"v" * 45  # its CRLF is the last two bytes within 50
    assert framer(50).feed(line + LINE + b"B: c" + END) == [Frame(line, 6)]
    assert framer(49).feed(line + LINE + b"B: c" + END) == [Frame(b"", len(line) + 6)]


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_the_work_grows_with_the_bytes_and_not_with_their_square(size: int) -> None:
    made = framer()
    counted, data = counting(made), b"Event: E\r\n" + b"V: " + b"v" * 100_000 + END
    assert len(in_slices(made, data, size)) == 1
    assert counted.work <= len(data) + 8 * (len(data) // size + 1)


def test_the_work_of_many_frames_in_one_read() -> None:
    made = framer()
    counted = counting(made)
    assert len(made.feed(NEXT * 100)) == 100
    assert counted.work <= len(NEXT) * 100 * 101 // 2 + len(NEXT) * 100  # counted as if find read to the end


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_the_work_after_the_cap(size: int) -> None:
    made = framer(1000)
    counted = counting(made)
    in_slices(made, b"E: f\r\n" + b"v" * 200_000 + END, size)
    assert counted.work <= 200_000 + 2000 + 16 * (200_000 // size + 1)


def test_the_work_on_a_greeting_that_never_comes() -> None:
    made = Framer()
    counted = counting(made)
    in_slices(made, b"v" * 50_000, 1)
    assert counted.work <= 50_000 * 8
