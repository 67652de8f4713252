"""What a call returns, as a notebook shows it: the words of the command, as HTML, or a picture."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import RenderableType

from scenarios.display.console import PlainConsole

WIDTH: Final = 110
"""How wide words are laid out [character]: as a notebook's cell shows them without a bar below."""

HTML: Final = '<pre style="line-height:1.3;font-family:monospace;white-space:pre">{code}</pre>'


def as_text(content: RenderableType) -> str:
    """Return what a command would show, as plain text."""
    console = PlainConsole(file=io.StringIO(), record=True, width=WIDTH, force_terminal=False)
    console.print(content)
    return console.export_text().rstrip()


def as_html(content: RenderableType) -> str:
    """Return the same as HTML: every text of a stranger stands in it as text."""
    console = PlainConsole(file=io.StringIO(), record=True, width=WIDTH, force_terminal=True, color_system="truecolor")
    console.print(content)
    return console.export_html(inline_styles=True, code_format=HTML)


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture that a run has: shown in a notebook, and a PNG file.

    Attributes:
        path: The file.
    """

    path: Path

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()

    def __repr__(self) -> str:
        return f"<Figure {self.path}>"


def embedded(figure: Figure, words: str) -> str:
    """Return a picture as HTML with its data inside.

    Args:
        figure: The picture.
        words: What it shows, for who cannot see it.
    """
    encoded = base64.b64encode(figure.path.read_bytes()).decode("ascii")
    return f'<img alt="{html.escape(words, quote=True)}" style="max-width:100%" src="data:image/png;base64,{encoded}">'
