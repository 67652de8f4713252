"""Shows what a start was made of."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.init.start import Start


def start_table(start: Start) -> RenderableType:
    """Return what the columns were taken for, where the scenario is, and what to do next."""
    guess = start.guess
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("rows", f"{guess.rows}, of which {guess.known} are measured")
    table.add_row("id", guess.id or "none")
    table.add_row("family", guess.family or "one of all")
    table.add_row("property", f"{guess.property} [{guess.unit or '-'}]")
    table.add_row("set by the lab", ", ".join(guess.parameters))
    if guess.unused:
        table.add_row("not used", ", ".join(guess.unused))
    return Group(
        table,
        Text(f"  {start.path}"),
        Text(f"Correct it, then look what would be sent: entropilot lab try {start.path}", "dim"),
    )
