"""The documentation as a reader meets it: pages, and in each the links, headings and code blocks."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
SNIPPETS = ROOT / "docs/how-to/snippets"
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("[A-Z]*.md"),
        ROOT / "contracts/README.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("services/*/README.md"),
    )
)
_HTML_ANCHOR = re.compile(r'<a (?:id|name)="([^"]+)"')


class Block(NamedTuple):
    """A code block; `file`: what the paragraph right before it links to, if that is nothing but a link."""

    language: str
    text: str
    file: Path | None


@cache
def _tokens(page: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text(encoding="utf-8"))


def _inline(page: str) -> Iterator[Token]:
    for token in _tokens(page):
        yield from token.children or ()


def links(page: str) -> list[str]:
    """Targets that are in this repository, as they are written."""
    found = [str(token.attrs.get("href", token.attrs.get("src", ""))) for token in _inline(page)]
    return [target for target in found if target and not re.match(r"[a-z]+:", target)]


def spans(page: str) -> list[str]:
    """Code between backticks."""
    return [token.content for token in _inline(page) if token.type == "code_inline"]


@cache
def anchors(page: str) -> frozenset[str]:
    """As GitHub makes them from headings: what comes twice has a number."""
    found: dict[str, int] = {}
    tokens = _tokens(page)
    for heading, text in pairwise(tokens):
        if heading.type == "heading_open":
            words = "".join(child.content for child in text.children or ())
            name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            found[name] = found.get(name, -1) + 1
            if found[name]:
                found[f"{name}-{found[name]}"] = 0
    return frozenset(found) | frozenset(_HTML_ANCHOR.findall((ROOT / page).read_text(encoding="utf-8")))


def blocks(page: str) -> list[Block]:
    tokens = _tokens(page)
    return [
        Block(token.info.strip(), token.content, _linked(page, tokens[:place]))
        for place, token in enumerate(tokens)
        if token.type == "fence"
    ]


def _linked(page: str, before: list[Token]) -> Path | None:
    if len(before) < 3 or before[-1].type != "paragraph_close":
        return None
    children = [child for child in before[-2].children or () if child.content.strip(": ") or child.attrs]
    if [child.type for child in children] != ["link_open", "code_inline"]:
        return None
    return ((ROOT / page).parent / str(children[0].attrs["href"])).resolve()
