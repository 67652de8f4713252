"""Settings laid out for people and for programs: every value with its source; secrets hidden."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from protocols.settings.fields import dotted, values_of
from protocols.settings.origins import DEFAULT_SOURCE
from protocols.settings.reference import meaning_of
from protocols.settings.resolve import M, ResolvedSettings

if TYPE_CHECKING:
    from rich.table import Table


def settings_table(resolved: ResolvedSettings[M]) -> Table:
    """Lay the settings out for a terminal: key, value, source; secrets hidden, defaults dim."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("key", no_wrap=True)
    table.add_column("value")
    table.add_column("comes from")
    for key, value in values_of(resolved.settings):
        source = resolved.source_of[dotted(key)]
        style = "dim" if source == DEFAULT_SOURCE else ""
        shown = json.dumps(value, ensure_ascii=False)
        cells = (dotted(key), shown, source)
        table.add_row(*(Text(cell, style, overflow="fold") for cell in cells))
    return table


def settings_json(resolved: ResolvedSettings[M]) -> str:
    """Return the settings as JSON: by dotted key, `value`, `from` and `meaning`; secrets hidden."""
    model = type(resolved.settings)
    listing = {
        dotted(key): {"value": value, "from": resolved.source_of[dotted(key)], "meaning": meaning_of(model, key)}
        for key, value in values_of(resolved.settings)
    }
    return json.dumps(listing, indent=2, ensure_ascii=False, allow_nan=False)
