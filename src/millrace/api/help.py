"""The documentation, made of its Markdown: pages as HTML, and a search in them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

SECTIONS = {"tutorial": "Tutorial", "how-to": "How-to", "reference": "Reference", "explanation": "Explanation"}
"""Folders of the documentation in the order in which they are listed, and their titles."""

INDEX = "index"
IMAGE_TYPES = {"png": "image/png", "svg": "image/svg+xml", "jpg": "image/jpeg", "webp": "image/webp"}

MAX_SEARCH = 200
_MAX_FOUND = 50
_EXCERPT = 160
_LINK = re.compile(r"\]\(([^)#\s]+\.md)")


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """A page in a list.

    Attributes
    ----------
    path : str
        Under ``/help/``.
    section : str
        Title of the section; empty for the index.
    excerpt : str
        Of a search: the text around what was found.
    anchor : str
        Of a search: heading under which it was found; empty: the beginning.
    """

    path: str
    title: str
    section: str
    excerpt: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class HelpHeading:
    """A heading of a page; `level` from 2 on."""

    level: int
    title: str
    anchor: str


@dataclass(frozen=True, slots=True)
class HelpPage:
    """A page of the documentation as HTML, without its title."""

    path: str
    title: str
    section: str
    html: str
    toc: list[HelpHeading]


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands under a heading, as plain text."""

    heading: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class _Page:
    shown: HelpPage
    parts: tuple[_Part, ...]

    def entry(self, excerpt: str = "", anchor: str = "") -> HelpEntry:
        return HelpEntry(self.shown.path, self.shown.title, self.shown.section, excerpt, anchor)


def documentation() -> Traversable:
    """Folder of the documentation: that of the package, or of the repository that it is run from."""
    packaged = files("millrace") / "docs"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "docs"


class Library:
    """All pages, made when they are first asked for; bounded by what the package holds.

    Parameters
    ----------
    images : str
        Address under which images are served.
    pages : str
        Address under which the console shows pages.
    folder : Traversable, optional
        Of the documentation.
    """

    def __init__(self, images: str, pages: str = "/docs", folder: Traversable | None = None) -> None:
        self._images = images
        self._addresses = pages
        self._folder = documentation() if folder is None else folder

    def entries(self) -> list[HelpEntry]:
        """Every page, in the order of reading."""
        return [page.entry() for page in self._pages.values()]

    def page(self, path: str) -> HelpPage | None:
        """A page; None if there is none."""
        found = self._pages.get(path.removesuffix(".md"))
        return None if found is None else found.shown

    def image(self, name: str) -> bytes | None:
        """An image; None if there is none."""
        found = self._image_files.get(name)
        return None if found is None else found.read_bytes()

    def search(self, text: str) -> list[HelpEntry]:
        """Pages that have all the words of a text, the best first: in titles, in headings, often."""
        words = text[:MAX_SEARCH].casefold().split()
        if not words:
            return self.entries()
        found = [(score, page) for page in self._pages.values() if (score := _score(page, words))]
        found.sort(key=lambda pair: -pair[0])
        return [page.entry(*_excerpt(page, words)) for _, page in found[:_MAX_FOUND]]

    @cached_property
    def _pages(self) -> Mapping[str, _Page]:
        sources = dict(self._sources())
        return {path: _Renderer(path, sources, self._images, self._addresses).page() for path in sources}

    def _sources(self) -> Iterator[tuple[str, str]]:
        """Markdown by path: the index, then the pages of each section in the order of the index."""
        if not self._folder.is_dir():
            return
        index = (self._folder / f"{INDEX}.md").read_text(encoding="utf-8")
        yield INDEX, index
        order = _LINK.findall(index)
        for section in SECTIONS:
            names = sorted(item.name for item in (self._folder / section).iterdir() if item.name.endswith(".md"))
            listed = [name for path in order for name in names if path == f"{section}/{name}"]
            for name in dict.fromkeys([*listed, *names]):
                text = (self._folder / section / name).read_text(encoding="utf-8")
                yield f"{section}/{name.removesuffix('.md')}", text

    @cached_property
    def _image_files(self) -> Mapping[str, Traversable]:
        folder = self._folder / "images"
        items = folder.iterdir() if folder.is_dir() else iter(())
        return {item.name: item for item in items if item.name.rpartition(".")[2] in IMAGE_TYPES}


class _Renderer:
    """Makes one page."""

    def __init__(self, path: str, known: Mapping[str, str], images: str, addresses: str) -> None:
        self._path = path
        self._known = known
        self._images = images
        self._addresses = addresses
        self._markdown = MarkdownIt("commonmark").enable("table")
        # Comments are for who reads the source; other HTML is shown as text.
        for rule in ("html_block", "html_inline"):
            self._markdown.add_render_rule(rule, _no_html)

    def page(self) -> _Page:
        tokens = self._markdown.parse(self._known[self._path])
        title, tokens = _split_title(tokens)
        toc = list(_anchored(tokens))
        for token in tokens:
            for child in token.children or ():
                self._rewrite(child)
        html = self._markdown.renderer.render(tokens, self._markdown.options, {})
        section = SECTIONS.get(self._path.partition("/")[0], "")
        shown = HelpPage(self._path, title or self._path, section, str(html), toc)
        return _Page(shown, tuple(_parts(title, tokens)))

    def _rewrite(self, token: Token) -> None:
        """Make links and images lead to where the console has them."""
        if token.type == "link_open":
            target = self._link(str(token.attrGet("href") or ""))
            token.attrSet("href", target)
            if re.match(r"https?:", target):
                token.attrSet("target", "_blank")
                token.attrSet("rel", "noopener noreferrer")
        elif token.type == "image":
            token.attrSet("src", f"{self._images}/{posixpath.basename(str(token.attrGet('src') or ''))}")
            token.attrSet("loading", "lazy")

    def _link(self, target: str) -> str:
        if re.match(r"[a-z]+:|#|/", target):
            return target
        path, hash_, anchor = target.partition("#")
        resolved = posixpath.normpath(posixpath.join(posixpath.dirname(self._path), path)).removesuffix(".md")
        # What is not part of the documentation (the licence, the source) is not served.
        return f"{self._addresses}/{resolved}{hash_}{anchor}" if resolved in self._known else "#"


def _no_html(_renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:  # noqa: ANN401 - the library's types
    text = tokens[at].content
    return "" if text.lstrip().startswith("<!--") else escape(text)


def _split_title(tokens: list[Token]) -> tuple[str, list[Token]]:
    """Text of the first heading if it is one of the first level, and the tokens without it."""
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            if token.tag != "h1":
                break
            return _plain(tokens[at + 1]), tokens[:at] + tokens[at + 3 :]
    return "", tokens


def _anchored(tokens: Sequence[Token]) -> Iterator[HelpHeading]:
    """Headings, each with an anchor of its own."""
    used: dict[str, int] = {}
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            title = _plain(tokens[at + 1])
            slug = re.sub(r"[^\w]+", "-", title.casefold()).strip("-") or "part"
            used[slug] = used.get(slug, 0) + 1
            anchor = slug if used[slug] == 1 else f"{slug}-{used[slug]}"
            token.attrSet("id", anchor)
            yield HelpHeading(int(token.tag[1:]), title, anchor)


def _parts(title: str, tokens: Sequence[Token]) -> Iterator[_Part]:
    heading, anchor = title, ""
    texts: list[str] = []
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            yield _Part(heading, anchor, " ".join(texts))
            heading, anchor, texts = _plain(tokens[at + 1]), str(token.attrGet("id") or ""), []
        elif token.type in ("inline", "fence", "code_block"):
            texts.append(" ".join(_plain(token).split()))
    yield _Part(heading, anchor, " ".join(texts))


def _plain(token: Token) -> str:
    """Text of a token, without marks."""
    if token.children is None:
        return token.content
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else _plain(child)
        for child in token.children
        if child.type != "html_inline"
    )


def _score(page: _Page, words: Sequence[str]) -> int:
    """How well a page fits; 0: a word is missing."""
    title = page.shown.title.casefold()
    score = 0
    for word in words:
        headings = sum(word in part.heading.casefold() for part in page.parts)
        often = sum(part.text.casefold().count(word) for part in page.parts)
        if word not in title and not headings and not often:
            return 0
        score += 100 * (word in title) + 10 * headings + min(often, 9)
    return score


def _excerpt(page: _Page, words: Sequence[str]) -> tuple[str, str]:
    """Text around what was found, and the anchor of its heading."""

    def hits(part: _Part) -> int:
        text = f"{part.heading} {part.text}".casefold()
        return sum(word in text for word in words)

    best = max(page.parts, key=hits)
    folded = best.text.casefold()
    place = min((folded.find(word) for word in words if word in folded), default=0)
    start = max(place - _EXCERPT // 3, 0)
    cut = best.text[start : start + _EXCERPT].strip()
    return f"{'…' if start else ''}{cut}{'…' if start + _EXCERPT < len(best.text) else ''}", best.anchor
