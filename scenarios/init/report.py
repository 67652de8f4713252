"""Shows what a start was made of."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.display.labels import with_unit
from scenarios.init.start import Start
from scenarios.init.table_scenario import TableScenario

MOST_UNUSED: Final = 6
"""Most columns without a use that are told; the scenario names all."""


def start_table(start: Start) -> RenderableType:
    """Return what the columns were taken for, where the scenario is, and what to do next."""
    guess = start.guess
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("rows", f"{guess.rows}, of which {guess.known} are measured")
    table.add_row("id", guess.id or "none")
    table.add_row("family", guess.family or "one of all")
    table.add_row("property", with_unit(guess.property, guess.unit or "-"))
    table.add_row("set by the lab", ", ".join(guess.parameters))
    if guess.unused:
        table.add_row("not used", ", ".join(guess.unused))
    return Group(
        table,
        Text(f"  {start.path}"),
        Text(f"Correct it, then look what would be sent: entropilot lab try {start.path}", "dim"),
    )


def scenario_table(written: TableScenario) -> RenderableType:
    """Return what a table's columns were taken for and why, where the scenario is, and what to do next."""
    found = written.assumed
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    table.add_row("rows", f"{found.rows:,}, of which {found.known:,} have a value", "")
    fewer = "" if written.candidates == found.rows else "fewer than rows: what was merged or left out is told above"
    table.add_row("candidates", f"{written.candidates:,}", fewer)
    rows = {
        "property": found.property,
        "unit": found.unit or "not told: say it in the scenario",
        "family": found.family or "one of all",
        "id": found.id or "made of the content",
        "composition": found.composition or "",
        "smiles": found.smiles or "",
        "structure": found.structure or "",
        "features": ", ".join(found.features),
    }
    for what, told in rows.items():
        if told:
            table.add_row(what, Text(told), Text(found.why.get(what, "")))
    for name, why in list(found.unused.items())[:MOST_UNUSED]:
        table.add_row("not used", Text(name), Text(why))
    begin = "entropilot run" if found.is_oracle() else "entropilot forecast"
    return Group(
        table, Text(f"  {written.path}"), Text(f"Correct it where it is wrong, then: {begin} {written.path}", "dim")
    )
