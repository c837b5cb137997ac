"""The bytes of a real AMI connection: the seed's ring group on Asterisk 22."""

import gzip
from pathlib import Path

from legbook.ami.framing import END, LINE, Frame, Framer

PATH = Path(__file__).parents[2] / "fixtures/raw/06-ringgroup-202-answers.txt.gz"
BYTES = gzip.decompress(PATH.read_bytes())
BANNER, _, REST = BYTES.partition(LINE)
PIECES = [piece + END for piece in REST.removesuffix(END).split(END)]


def framer(cap: int | None = None) -> Framer:
    """One that has read its greeting."""
    made = Framer() if cap is None else Framer(cap)
    assert made.feed(BANNER + LINE) == []
    return made


def in_slices(made: Framer, data: bytes, size: int) -> list[Frame]:
    return [frame for at in range(0, len(data), size) for frame in made.feed(data[at : at + size])]
