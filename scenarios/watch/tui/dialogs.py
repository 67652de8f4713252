"""What asks a person before something is sent, and what says which keys there are."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from protocols.wire.limits import MAX_TEXT_LENGTH

KEYS: Final = (
    ("p  r  s", "pause, resume, stop the campaign"),
    ("a  v", "approve, veto the decision that waits"),
    ("← →", "one observation back, forth; < and >, or shift: ten"),
    ("Home  End", "the start set; back to live"),
    ("Tab ↑ ↓", "to the next part; scroll it"),
    ("?", "these keys"),
    ("q", "leave; the run goes on"),
)
"""What a person can press."""


class ConfirmOrder(ModalScreen[str | None]):
    """Asks for the reason of an order; gives it back, or None where the order is not sent.

    Args:
        verb: What is asked for.
        consequence: What it does, and what it is about.
    """

    DEFAULT_CSS = """
    ConfirmOrder { align: center middle; }
    ConfirmOrder Vertical { width: 70; max-width: 100%; height: auto; max-height: 100%; border: round $accent;
        padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "not now")]

    def __init__(self, verb: str, consequence: Text) -> None:
        super().__init__()
        self._verb, self._consequence = verb, consequence

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield Static(self._consequence)
            yield Input(placeholder="why, for the journal", max_length=MAX_TEXT_LENGTH, id="reason")
            yield Static(Text(f"Enter: {self._verb}    Esc: not now", "dim"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the reason back."""
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Send nothing."""
        self.dismiss(None)


class Help(ModalScreen[None]):
    """Says which keys there are."""

    DEFAULT_CSS = """
    Help { align: center middle; }
    Help Static { width: 70; max-width: 100%; height: auto; border: round $accent; padding: 0 1;
        background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "leave", "close"),
    ]

    def compose(self) -> ComposeResult:
        """Lay it out."""
        text = Text.assemble(("Keys\n", "bold"))
        for keys, what in KEYS:
            text.append(f"{keys:<11}", "bold").append(f"{what}\n")
        yield Static(text.append("Esc closes this", "dim"))

    def action_leave(self) -> None:
        """Close it."""
        self.dismiss(None)
