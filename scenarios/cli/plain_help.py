"""Help texts are shown as they are written: typer takes what stands in brackets for markup, and drops it."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from typer.core import TyperCommand


class PlainHelpCommand(TyperCommand):
    """A command whose help keeps its brackets, in its own page and in the list of commands."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help = _kept(self.help)
        self.short_help = _kept(self.short_help)
        for parameter in self.params:
            said: Any = parameter
            said.help = _kept(getattr(parameter, "help", None))


def _kept(text: str | None) -> str | None:
    return None if text is None else escape(text)
