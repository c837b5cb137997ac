"""Every command that the documentation tells to type exists, with its options."""

import pytest

from tests.docs.commands import complaints
from tests.docs.pages import PAGES, blocks, spans

OURS = ("legbook ", ".venv/bin/legbook ", "make ", "python -m ", ".venv/bin/python -m ")


def lines(page: str) -> list[str]:
    """Of its shell blocks, and what stands between backticks and begins like a command of ours."""
    typed = [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]
    return [*typed, *(span for span in spans(page) if span.startswith(OURS))]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page: str) -> None:
    assert [said for line in lines(page) for said in complaints(line.replace("…", "").strip())] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("legbook explode", "legbook has no command explode"),
        (".venv/bin/legbook topics drop", "legbook has no command drop"),
        ("A=1 legbook status --yaml", "status has no option --yaml"),
        ("legbook command hangup hq 1 2", "hangup takes 2 arguments, not ['hq', '1', '2']"),
        ("legbook command hangup hq", "hangup needs ['pbx', 'leg'], not ['hq']"),
        ("legbook topics apply --partitions", "apply has no option -- (--partitions without its value)"),
        ("python -m legbook.devtsack", "there is no module legbook.devtsack"),
        ("make demmo SECONDS=3", "make has no target demmo"),
    ],
)
def test_what_does_not_exist_is_seen(line: str, said: str) -> None:
    assert list(complaints(line)) == [said]


@pytest.mark.parametrize(
    "line",
    [
        "legbook tail legs --pbx=hq --no-follow --from-beginning  # a comment",
        "legbook fold a.txt b.txt --json",
        "make demo SECONDS=30",
        "python -m legbook.devstack &",
        "npm install",
        "legbook tail",
    ],
)
def test_what_exists_is_let_through(line: str) -> None:
    assert list(complaints(line)) == []
