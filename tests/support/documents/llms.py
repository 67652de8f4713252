"""llms.txt: what the documents are and where each page is, for language models that answer questions about Entropilot.

Its form is that of llmstxt.org: a title, a summary, and lists of pages with what each is about. `llms-full.txt`, all
pages in one text, is made with the site (`whole_text`) and committed nowhere.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from tests.support.documents.markdown import ROOT

HEAD: Final = """# Entropilot

> An autonomous-lab agent that keeps a materials dataset from becoming biased. It measures how widely the values of a
> property spread within each family (an information entropy), asks a lab over MQTT for what closes the gaps between
> families and teaches a model most, and keeps every decision in a journal that survives crashes and can be replayed.

Install in a copy of the repository with `pip install .`; `entropilot run oracle_table` is a first run that needs no
server. An error says what was found, what was expected and what to do. Every page below is Markdown, and what it shows
is run by tests. `llms-full.txt`, where the site is, has all pages in one text.
"""

_TITLE: Final = re.compile(r"^# +(.+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")

MOST_CHARACTERS: Final = 160
"""Longest summary of a page."""

FEWEST_CHARACTERS: Final = 60
"""Of a first sentence that says enough alone; a shorter one gets the second beside it."""


def contents_for_models() -> str:
    """Return llms.txt, in the order of the site's navigation."""
    parts = [HEAD]
    for title, pages in _sections():
        rows = [f"- [{_title(text)}]({place}): {_summary(text)}" for place, text in pages]
        parts.append(f"## {title}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def whole_text() -> str:
    """Return all pages in one text, each below its path."""
    shown = [f"<!-- {place} -->\n\n{text.strip()}\n" for _, pages in _sections() for place, text in pages]
    return HEAD + "\n" + "\n\n".join(shown)


def _sections() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    with (ROOT / "zensical.toml").open("rb") as file:
        nav = tomllib.load(file)["project"]["nav"]
    for entry in nav:
        for title, content in entry.items():
            yield title, [(place, _text(place)) for place in _pages(content)]


def _pages(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    else:
        for each in content.values() if isinstance(content, dict) else content:
            yield from _pages(each)


def _text(place: str) -> str:
    path = ROOT / place.removeprefix("project/") if place.startswith("project/") else ROOT / "docs" / place
    return path.read_text(encoding="utf-8")


def _title(text: str) -> str:
    found = _TITLE.search(text)
    return found[1].replace("`", "") if found else ""


def _summary(text: str) -> str:
    """Return the first sentence of a page's prose."""
    after = _COMMENT.sub("", _TITLE.split(text, maxsplit=1)[-1])
    prose = (
        each for each in re.split(r"\n{2,}", after) if each.strip() and not re.match(r"\s*(```|\||#|!|>|\*\*)", each)
    )
    first = " ".join(_LINK.sub(r"\1", next(prose, "")).split())
    sentences = re.split(r"(?<=[.:!?])\s", first)
    sentence = sentences[0] if len(sentences[0]) >= FEWEST_CHARACTERS else " ".join(sentences[:2])
    sentence = sentence.rstrip(":")
    return sentence if len(sentence) <= MOST_CHARACTERS else sentence[:MOST_CHARACTERS].rsplit(" ", 1)[0] + " …"
