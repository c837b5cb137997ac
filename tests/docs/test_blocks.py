"""Programs in the pages are files that run: each block is its file, each file has its page and its test."""

import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from legbook.contracts.commands import Reason
from legbook.contracts.topics import COMMANDS
from tests.docs.pages import PAGES, ROOT, SNIPPETS, Block, blocks, spans

PROGRAMS = {"python": ".py", "js": ".mjs", "json": ".json"}
FILES = sorted(path.name for path in SNIPPETS.iterdir() if path.suffix in PROGRAMS.values())


def programs() -> list[tuple[str, Block]]:
    """Every block of a how-to that is a program or a message."""
    pages = [page for page in PAGES if page.startswith("docs/how-to/")]
    return [(page, block) for page in pages for block in blocks(page) if block.language in PROGRAMS]


@pytest.mark.parametrize(("page", "block"), programs())
def test_a_block_is_the_file_that_is_named_before_it(page: str, block: Block) -> None:
    assert block.file is not None, f"{page}: no link to a file before\n{block.text}"
    assert block.file.suffix == PROGRAMS[block.language]
    assert block.file.read_text(encoding="utf-8") == block.text


def test_every_file_is_in_a_page() -> None:
    shown = {block.file.name for _, block in programs() if block.file}
    assert set(FILES) - {"package.json"} <= shown


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".py", ".mjs"))])
def test_every_program_is_run_by_a_test(name: str) -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*examples.py")
    )
    used = "".join((SNIPPETS / other).read_text(encoding="utf-8") for other in FILES if other != name)
    assert f'"{name}"' in tests or f'"./{name}"' in used


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".mjs")])
def test_javascript_is_javascript(name: str) -> None:
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    done = subprocess.run(["node", "--check", SNIPPETS / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_verb_and_reason_of_a_command_is_told() -> None:
    told = set(spans("docs/how-to/publish-a-command.md"))
    assert set(get_args(Reason)) - told == set()
    text = (ROOT / "docs/how-to/publish-a-command.md").read_text(encoding="utf-8")
    for message in COMMANDS.messages:
        assert f"](../reference/topics.md#{message.lower()})" in text
