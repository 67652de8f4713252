"""Whether a built site stands on its own: each link leads to a page, file or heading of it, and nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

FETCHED: Final = {
    "script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset"), "video": ("src",),
    "audio": ("src",), "embed": ("src",), "object": ("data",), "use": ("href",),
}  # fmt: skip
"""What a browser fetches when it shows a page, by tag; of a `link` it depends on what it is."""

LINKED: Final = frozenset({"canonical", "next", "prev", "alternate", "author", "license"})
"""Kinds of `link` that fetch nothing."""

MERMAID: Final = "https://unpkg.com/mermaid"
"""What the theme fetches, by the first letters of its address, for a diagram in Mermaid's language."""

_IN_STYLE: Final = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])(?P<target>(?:https?:)?//[^'\")\s]+)")


@dataclass
class _Page(HTMLParser):
    """What is in a page: its anchors, where it links to, and what it fetches."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag has."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and not LINKED & set(given.get("rel", "").split()):
            self.fetched.append(given.get("href", ""))
        self.fetched += [given[name] for name in FETCHED.get(tag, ()) if given.get(name)]
        if "mermaid" in given.get("class", "").split():
            self.fetched.append(MERMAID)


def problems_of(site: Path) -> Iterator[str]:
    """Yield every link that leads nowhere, and everything that would be fetched from elsewhere.

    Args:
        site: Folder of a built site.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for target in (*page.links, *page.fetched):
            if problem := _problem(target, path, site, pages):
                yield f"{name}: {target}: {problem}"
        yield from (f"{name}: {each}: is fetched from elsewhere" for each in page.fetched if _is_foreign(each))
    for path in sorted(site.rglob("*.css")):
        for match in _IN_STYLE.finditer(path.read_text(encoding="utf-8", errors="replace")):
            yield f"{path.relative_to(site)}: {match['target']}: is fetched from elsewhere"


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _is_foreign(target: str) -> bool:
    parts = urlsplit(target)
    return parts.scheme in {"http", "https"} or bool(parts.netloc)


def _problem(target: str, page: Path, site: Path, pages: dict[Path, _Page]) -> str:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or page.name == "404.html":  # the last does not know where it is shown
        return ""
    path = unquote(parts.path)
    found = ((site / path.lstrip("/")) if path.startswith("/") else page.parent / path).resolve() if path else page
    if found.is_dir():
        found /= "index.html"
    if not found.is_relative_to(site.resolve()) or not found.is_file():
        return "there is no such file"
    anchor = unquote(parts.fragment)
    if anchor and found in pages and anchor not in pages[found].anchors:
        return "there is no such heading"
    return ""
