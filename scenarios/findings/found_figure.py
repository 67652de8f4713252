"""The picture of the molecules that were found: drawn by RDKit where it is installed, else a table of their SMILES."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any, Final

from protocols.extras import is_installed, load
from scenarios.display.figure_style import DPI, FAINT, FRAME, GRID, WIDTH_IN, save_figure, write_title
from scenarios.display.labels import INK, shortened
from scenarios.findings.molecules_found import FoundMolecule, MoleculesFound

MOST_SHOWN: Final = 12
"""Molecules in the picture: three rows."""

COLUMNS: Final = 4
"""Molecules in a row."""

HEAD_IN: Final = 0.75
"""Height of the title [inch]."""

DRAWING_IN: Final = (2.0, 1.45)
"""Width and height of a drawing [inch]."""

TEXT_IN: Final = 0.82
"""Height of what stands below it [inch]."""

ROW_IN: Final = 0.3
"""Height of a row of the table [inch]."""

TABLE: Final = (("molecule", 0.02), ("value", 0.38), ("what was changed", 0.46), ("what it did", 0.79))
"""Columns of the table, and where they begin [figure width]."""

LONGEST_SMILES: Final = 38
LONGEST_CHANGE: Final = 42
LONGEST_LINE: Final = 37
"""What its place holds [character]."""

DRAWS: Final = "rdkit"
"""Package that draws molecules."""


def can_draw() -> bool:
    """Whether molecules are drawn here, and not only told by their SMILES."""
    try:
        return is_installed(DRAWS) and bool(load("rdkit.Chem.Draw.rdMolDraw2D"))
    except ImportError:  # a library of the system's is not there
        return False


def draw_found(path: Path, found: MoleculesFound, *, title: str) -> None:
    """Draw up to `MOST_SHOWN` molecules, best first.

    Args:
        path: PNG file to write, 1800 pixels wide.
        found: What was found, at least one.
        title: What the picture shows.

    Raises:
        StoreError: When the file cannot be written.
    """
    shown = found.molecules[:MOST_SHOWN]
    subtitle = found.in_words() + (f"; the best {len(shown)} are shown" if len(found.molecules) > len(shown) else "")
    figure = _grid(found, shown) if can_draw() else _table(found, shown)
    write_title(figure, title, subtitle)
    save_figure(figure, path)


def _grid(found: MoleculesFound, shown: Sequence[FoundMolecule]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    cell = DRAWING_IN[1] + TEXT_IN
    height = HEAD_IN + cell * ceil(len(shown) / COLUMNS) + 0.1
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    for number, each in enumerate(shown):
        row, column = divmod(number, COLUMNS)
        left = (column + 0.5) * WIDTH_IN / COLUMNS - DRAWING_IN[0] / 2
        below = height - HEAD_IN - row * cell - DRAWING_IN[1]
        place = (left / WIDTH_IN, below / height, DRAWING_IN[0] / WIDTH_IN, DRAWING_IN[1] / height)
        axes = figure.add_axes(place)
        axes.imshow(imread(io.BytesIO(_drawing(each.candidate.smiles))), interpolation="none")
        axes.axis("off")
        _write_below(figure, left + DRAWING_IN[0] / 2, below, height, _said(found, each))
    return figure


def _drawing(smiles: str) -> bytes:
    """Return a PNG of a molecule, as large as its place."""
    drawing = load("rdkit.Chem.Draw.rdMolDraw2D")
    canvas = drawing.MolDraw2DCairo(*(round(inch * DPI) for inch in DRAWING_IN))
    canvas.drawOptions().bondLineWidth = 3
    canvas.drawOptions().padding = 0.08
    drawing.PrepareAndDrawMolecule(canvas, load("rdkit.Chem").MolFromSmiles(smiles))
    canvas.FinishDrawing()
    drawn: bytes = canvas.GetDrawingText()
    return drawn


def _said(found: MoleculesFound, each: FoundMolecule) -> tuple[str, ...]:
    """Return what stands below a molecule: its value, what was changed, what it did, and to what."""
    value = f"{each.value:.2f} {found.unit}".rstrip().replace("-", "−")
    if each.change is None:
        return (value, each.candidate.formula)
    change = each.change
    return (value, f"{change.edit.words}:  {change.did(found.unit)}", change.edit.kept_words)


def _write_below(figure: Any, x_in: float, y_in: float, height_in: float, lines: Sequence[str]) -> None:
    for number, (line, points, colour, weight) in enumerate(
        zip(lines, (10.5, 8.5, 8), (INK, INK, FAINT), ("bold", "normal", "normal"), strict=False)
    ):
        y = (y_in - 0.13 - 0.185 * number) / height_in
        figure.text(
            x_in / WIDTH_IN, y, shortened(line, LONGEST_LINE), fontsize=points, color=colour, fontweight=weight,
            ha="center", va="center", parse_math=False,
        )  # fmt: skip


def _table(found: MoleculesFound, shown: Sequence[FoundMolecule]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    height = HEAD_IN + ROW_IN * (len(shown) + 1) + 0.2
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")

    def write(row: int, cells: Sequence[str], weight: str) -> None:
        y = 1 - (HEAD_IN + ROW_IN * (row + 0.5)) / height
        for text, (_, x) in zip(cells, TABLE, strict=True):
            figure.text(x, y, text, fontsize=9, color=INK, fontweight=weight, va="center", parse_math=False)
        line = y - ROW_IN / 2 / height
        figure.add_artist(Line2D([0.02, 0.98], [line, line], color=GRID if row else FRAME, linewidth=0.8))

    write(0, [name for name, _ in TABLE], "bold")
    for row, each in enumerate(shown, 1):
        change = each.change
        changed = "" if change is None else f"{change.edit.words}  ({change.edit.kept_words})"
        cells = (
            shortened(each.candidate.smiles, LONGEST_SMILES),
            f"{each.value:.2f} {found.unit}".rstrip().replace("-", "−"),
            shortened(changed, LONGEST_CHANGE),
            "" if change is None else change.did(found.unit),
        )
        write(row, cells, "normal")
    return figure
