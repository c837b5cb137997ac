"""A link leads somewhere, and the index leads to every page."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links


def wrong(page: str, root: Path = ROOT) -> Iterator[str]:
    for link in links(page):
        name, _, anchor = unquote(link).partition("#")
        target = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        if not target.exists() or not target.is_relative_to(root):
            yield f"{link}: there is no such file"
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target.as_posix())):
            yield f"{link}: it has no such heading"


def path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    assert list(wrong(page)) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two`\n[a](#one-two) [b](#three) [c](missing.md) [d](../x.md) [e](https://example.org)\n"
    )
    (tmp_path.parent / "x.md").write_text("")

    assert list(wrong(page.as_posix(), tmp_path)) == [
        "#three: it has no such heading",
        "missing.md: there is no such file",
        "../x.md: there is no such file",
    ]


def test_the_index_leads_to_every_page_of_docs() -> None:
    index = ROOT / "docs/README.md"
    told = {(index.parent / unquote(link).partition("#")[0]).resolve() for link in links("docs/README.md")}
    there = {ROOT / page for page in PAGES if page.startswith("docs/")} - {index}
    assert {path(page) for page in there - told} == set()
