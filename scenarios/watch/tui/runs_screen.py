"""The list of runs: one is chosen, and then shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from scenarios.display.labels import figure_text
from scenarios.run.live.words import clean
from scenarios.watch.state.runs import RunCard
from scenarios.watch.tui.parts import PHASE_STYLES


class RunsScreen(Screen[str | None]):
    """Lets a person choose a run; gives its key back.

    Args:
        cards: The runs.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,escape", "leave", "quit")]

    def __init__(self, cards: Sequence[RunCard]) -> None:
        super().__init__()
        self._cards = cards

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Static(Text("Runs: Enter opens one", "bold"))
        yield OptionList(*(Option(card_text(each), id=f"run-{at}") for at, each in enumerate(self._cards)))
        yield Footer(compact=True, show_command_palette=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give the chosen one back."""
        self.dismiss(self._cards[event.option_index].key)

    def action_leave(self) -> None:
        """Choose none."""
        self.dismiss(None)


def card_text(card: RunCard) -> Text:
    """Return a run as a line: its name, phase, what is spent, and the range of entropy now and at the start."""
    text = Text.assemble((clean(card.key), "bold"), "  ", (card.phase, PHASE_STYLES.get(card.phase, "")), no_wrap=True)
    if card.problem:
        return text.append(f"  {clean(card.problem)}", "red")
    text.append(f"  {clean(card.policy)}  {card.spent or 0:,}/{card.budget or 0:,}")
    if card.entropy_range is not None:
        start = figure_text(card.entropy_range_start, "nat")
        text.append(f"  range {figure_text(card.entropy_range, 'nat')} nat (was {start})", "dim")
    return text
