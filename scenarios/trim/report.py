"""What a trimming is told as: the table on the screen, `trim.csv`, `trim.json`, and the other files of its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table
from rich.text import Text

from agent.entropy.bias import BIAS_METRICS
from protocols.storage.atomic_file import atomic_write
from protocols.storage.csv_file import write_csv
from scenarios.display.labels import shortened
from scenarios.trim.figure import FamilyStrip, TrimPicture, draw_trim
from scenarios.trim.rows import trimmed_name, write_rows
from scenarios.trim.source import TrimSource
from scenarios.trim.trim import Figure, TrimResult
from scenarios.trim.verdict import in_words

FIGURES: Final = "trim.csv"
TOLD: Final = "trim.json"
PICTURE: Final = "trim.png"

FIGURE_COLUMNS: Final = (
    "quantity", "family", "unit", "full", "trimmed", "random_mean", "random_std", "random_trims",
)  # fmt: skip
"""Columns of `trim.csv`."""

MAX_FAMILIES_SHOWN: Final = 14
"""Most families in the table on the screen, those of most rows; `trim.csv` has all."""

SAID: Final = {"entropy_range": "Range of entropy", "mean_gap": "mean gap", "joint_entropy": "joint entropy"}
"""Figures in the sentence over the picture, and their names there."""

LOWER_IS_BETTER: Final = {each.name for each in BIAS_METRICS if each.lower_is_better}


@dataclass(frozen=True, slots=True)
class WrittenTrim:
    """What was written, and what is told with it.

    Attributes:
        files: Paths: the trimmed table, the figures, what was told, the picture.
        notes: What a person should know before reading the figures, and what the trimmed table lacks.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def trim_table(trimming: TrimResult) -> Table:
    """Return the figures before, after and of random trims."""
    source, count = trimming.source, len(trimming.random)
    title = f"{source.name}: {len(trimming.rows)} of {len(source.values)} rows kept"
    caption = f"entropies in nat, by {trimming.measure.estimator}" + (
        f"; random: mean ± std of {count} trims of the same size" if count else ""
    )
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("")
    for heading in ("full", "trimmed", *(("random",) if count else ())):
        table.add_column(heading, justify="right")
    for each in trimming.table_figures():
        table.add_row(Text(each.label), *_cells(each, count), style="bold" if each.quantity in LOWER_IS_BETTER else "")
    table.add_section()
    table.add_row("entropy of a family (its rows)", style="dim")
    figures = {(each.quantity, each.family): each for each in trimming.family_figures()}
    by_rows = np.argsort([-size for size in trimming.full.sizes], kind="stable")
    for code in by_rows[:MAX_FAMILIES_SHOWN]:
        family = source.families[code]
        entropies = _cells(figures["entropy", family], count)
        rows = _cells(figures["rows", family], count, "{:.0f}", spread=False)
        table.add_row(Text(shortened(family)), *(f"{h} ({n})" for h, n in zip(entropies, rows, strict=True)))
    if len(by_rows) > MAX_FAMILIES_SHOWN:
        table.add_row(f"… and {len(by_rows) - MAX_FAMILIES_SHOWN} with fewer rows")
    return table


def trim_json(trimming: TrimResult, written: WrittenTrim) -> str:
    """Return the same figures for another program."""

    def plain(each: Figure) -> dict[str, Any]:
        mean, std = each.over_random()
        return {"full": each.full, "trimmed": each.trimmed, "random_mean": mean, "random_std": std}

    families: dict[str, dict[str, Any]] = {}
    for each in trimming.family_figures():
        families.setdefault(each.family, {})[each.quantity] = plain(each)
    source, measure = trimming.source, trimming.measure
    told = {
        "table": str(source.path),
        "property": source.property_name,
        "unit": source.unit,
        "estimator": measure.estimator,
        "resolution": measure.resolution,
        "rows": len(source.values),
        "left_out": source.left_out,
        "account": [each.model_dump(mode="json") for each in source.account],
        "kept": len(trimming.rows),
        "level_nat": trimming.level,
        "random_trims": len(trimming.random),
        "figures": {each.quantity: plain(each) for each in trimming.table_figures()},
        "families": families,
        "notes": written.notes,
        "files": [str(each) for each in written.files],
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def files_of(source: TrimSource) -> tuple[str, ...]:
    """Return the names of the files that are written: the trimmed table, the figures, what was told, the picture."""
    return (trimmed_name(source), FIGURES, TOLD, PICTURE)


def write_trim(
    trimming: TrimResult, folder: Path, on_progress: Callable[[str, int, int], None] = lambda *_: None
) -> WrittenTrim:
    """Write the trimmed table, the figures, what was told, and the picture.

    Raises:
        TableError: When the table changed meanwhile.
        StoreError: When the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = trimming.source
    files = tuple(folder / name for name in files_of(source))
    trimmed, figures, told, picture = files
    on_progress("writing", 0, 3)
    faults = write_rows(source, trimming.rows, trimmed)
    lacking = [f"{trimmed.name} lacks a column that cannot be read. {fault}." for fault in faults]
    written = WrittenTrim(files, (*trimming.notes(), *lacking))
    on_progress("writing", 1, 3)
    write_csv(figures, FIGURE_COLUMNS, _rows(trimming))
    with atomic_write(told) as file:
        file.write((trim_json(trimming, written) + "\n").encode())
    on_progress("writing", 2, 3)
    draw_trim(picture, _picture(trimming))
    on_progress("writing", 3, 3)
    return written


def _rows(trimming: TrimResult) -> Iterator[tuple[object, ...]]:
    for each in (*trimming.table_figures(), *trimming.family_figures()):
        known = sum(value is not None for value in each.random)
        yield each.quantity, each.family, each.unit, each.full, each.trimmed, *each.over_random(), known


def _picture(trimming: TrimResult) -> TrimPicture:
    source, kept = trimming.source, np.zeros(len(trimming.source.values), dtype=bool)
    kept[trimming.rows] = True
    entropies = {each.family: each for each in trimming.family_figures() if each.quantity == "entropy"}
    strips = []
    for code, family in enumerate(source.families):
        own, figure = source.codes == code, entropies[family]
        mean, std = figure.over_random()
        strips.append(
            FamilyStrip(family, figure.full, figure.trimmed, mean, std, source.values[own], source.values[own & kept])
        )
    share = 100 * len(trimming.rows) / len(source.values)
    verdict = trimming.verdict()
    return TrimPicture(
        title=f"{source.name}: {len(trimming.rows):,} of {len(source.values):,} rows kept ({share:.3g} %)"
        + (f", {verdict.short}" if verdict else ""),
        subtitle=_sentence(trimming),
        property=source.property_name,
        unit=source.unit,
        random_trims=len(trimming.random),
        families=tuple(strips),
    )


def _sentence(trimming: TrimResult) -> str:
    """Say what the table came to; deviations of random trims, which have no room here, are drawn."""
    said: list[str] = []
    for each in trimming.table_figures():
        if each.quantity in SAID:
            mean, _ = each.over_random()
            random = "" if mean is None else f" ({'' if said else 'random '}{in_words(mean)})"
            said.append(f"{SAID[each.quantity]} {in_words(each.full)} → {in_words(each.trimmed)}{random}")
    return f"{', '.join(said)}; in nat"


def _cells(figure: Figure, trims: int, form: str = "{:.3f}", *, spread: bool = True) -> list[str]:
    mean, std = figure.over_random()
    random = in_words(mean, form) + (f" ± {in_words(std, form)}" if spread and std is not None else "")
    return [in_words(figure.full, form), in_words(figure.trimmed, form), *([random] if trims else [])]
