"""What the tests read out of a document: fenced blocks, inline code, links and headings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
"""The top of the repository."""

TOP_DOCUMENTS: Final = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "RELIABILITY.md", "DECISIONS.md")
"""Documents at the top whose commands, paths and links are checked; a changelog tells of what no longer is."""

_FENCE: Final = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE: Final = re.compile(r"(?<!`)`((?:[^`\n]|\n(?!\n))+)`(?!`)")
_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*=")
_COMMENT: Final = re.compile(r"\s+#.*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        info: What stands behind the opening fence, such as `sh` or `sh run`.
        body: Its lines.
    """

    info: str
    body: str

    @property
    def language(self) -> str:
        """The first word behind the fence."""
        return self.info.split(" ")[0].strip()

    @property
    def is_run(self) -> bool:
        """Whether its commands are quick enough that the tests run them."""
        return self.info.split() == ["sh", "run"]

    @property
    def file_name(self) -> str:
        """The name under which a reader saves it; empty without one.

        It stands in a first line such as `# lab.toml`, or behind the language where no comment can: `csv table.csv`.
        """
        named = re.match(r"# ([\w-]+\.(?:py|toml|sh|conf))\n", self.body) or re.fullmatch(r"csv (\S+)", self.info)
        return named[1] if named else ""

    def commands(self) -> Iterator[list[str]]:
        """Yield the words of every command line, without variables before it, a comment behind it and a final `&`.

        In a block that shows output, commands are the lines behind a `$`.
        """
        for line in re.sub(r"\\\n\s*", "", self.body).splitlines():  # a backslash at its end continues a line
            if self.language != "sh" and not line.startswith("$ "):
                continue
            words = shlex.split(_COMMENT.sub("", line.removeprefix("$ ").strip().removesuffix("&")))
            while words and _VARIABLE.match(words[0]):
                words = words[1:]
            if words:
                yield words


@dataclass(frozen=True, slots=True)
class Document:
    """A markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path below the top of the repository."""
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    def blocks(self, *languages: str) -> list[Block]:
        """Return the fenced blocks in these languages; all without any."""
        found = [Block(match["info"].strip(), match["body"]) for match in _FENCE.finditer(self.text)]
        return [block for block in found if not languages or block.language in languages]

    def prose(self) -> str:
        """Return everything outside of fenced blocks."""
        return _FENCE.sub("", self.text)

    def code(self) -> list[str]:
        """Return what stands between single backticks in the prose, on one line or two."""
        return [" ".join(found.split()) for found in _CODE.findall(self.prose())]

    def links(self) -> list[str]:
        """Return the targets of links and pictures that lead to a file of the repository, or into one."""
        return [target for target in _LINK.findall(self.prose()) if not re.match(r"[a-z]+:", target)]

    def anchors(self) -> set[str]:
        """Return the anchors of the headings, as GitHub makes them."""
        return {anchor_of(heading) for heading in _HEADING.findall(self.prose())}


def anchor_of(heading: str) -> str:
    """Return the anchor of a heading: small letters, words joined by dashes, other signs left out."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return kept.replace(" ", "-")


def documents() -> list[Document]:
    """Return every document whose commands, paths and links must hold."""
    return [
        Document(path) for path in (*(ROOT / name for name in TOP_DOCUMENTS), *sorted((ROOT / "docs").rglob("*.md")))
    ]
