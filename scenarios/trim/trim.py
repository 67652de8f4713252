"""Trims a table: the rows that `agent.entropy.subset` keeps, measured beside the whole table and random trims."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.bias import BIAS_METRICS, BiasPoint, measure_bias
from agent.entropy.measure import ESTIMATORS, SMALLEST_RESOLUTION, EntropyMeasure, default_resolution
from agent.entropy.subset import LEVEL_ROWS, counted_entropy, rows_to_keep
from protocols.errors import SettingsError
from protocols.settings.suggestions import listed
from scenarios.trim.rows import remark_on
from scenarios.trim.source import TrimSource
from scenarios.trim.verdict import Verdict, verdict_on
from scenarios.world.world import ProgressCall

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

KEPT: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<percent>%?)")
"""A number of rows, or a share of them."""


FEW_ROWS: Final = 10
"""Rows below which the entropy of a family is off by 0.2 to 0.4 nat by chance (table in `measure`)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a table, before and after.

    Attributes:
        quantity: What it is.
        label: What people read.
        family: Of which family; "" for the whole table.
        unit: "nat", "rows" or "%".
        full: Of the whole table.
        trimmed: Of the kept rows.
        random: Of every random trim; None where it is not defined.
    """

    quantity: str
    label: str
    family: str
    unit: str
    full: float | None
    trimmed: float | None
    random: tuple[float | None, ...]

    def over_random(self) -> tuple[float | None, float | None]:
        """Mean and sample standard deviation over the random trims where it is defined."""
        known = [each for each in self.random if each is not None]
        spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
        return (float(np.mean(known)) if known else None), spread


@dataclass(frozen=True, slots=True)
class TrimResult:
    """What was kept, and what it is worth.

    Attributes:
        source: The rows that could be judged.
        measure: What the figures are measured with.
        rows: The kept ones, indices into the arrays of the source, ascending.
        level: Entropy up to which a family's counts [nat]; None where it is not defined.
        full: Bias of the source.
        trimmed: Bias of the kept rows.
        random: Bias of random trims of the same size.
    """

    source: TrimSource
    measure: EntropyMeasure
    rows: IndexArray
    level: float | None
    full: BiasPoint
    trimmed: BiasPoint
    random: tuple[BiasPoint, ...]

    @property
    def points(self) -> tuple[BiasPoint, ...]:
        """The whole table, the kept rows, and the random trims."""
        return (self.full, self.trimmed, *self.random)

    def table_figures(self) -> list[Figure]:
        """The figures of the whole table: bias, and what entropy is left."""
        points = self.points
        made = [
            _figure(each.name, each.label, "", each.unit, [getattr(point, each.name) for point in points])
            for each in BIAS_METRICS
        ]
        counted = [None if self.level is None else counted_entropy(p.sizes, p.entropies, self.level) for p in points]
        return [
            *made,
            _figure("mean_entropy", "mean of entropy", "", "nat", [_mean_entropy(point) for point in points]),
            _figure("counted_entropy", "joint entropy to the level", "", "nat", counted),
        ]

    def family_figures(self) -> list[Figure]:
        """Entropy, number of rows and kept share of every family."""
        made: list[Figure] = []
        for code, family in enumerate(self.source.families):
            sizes = [point.sizes[code] for point in self.points]
            shares = [100.0 * size / sizes[0] for size in sizes]
            made += [
                _figure("entropy", "entropy", family, "nat", [point.entropies[code] for point in self.points]),
                _figure("rows", "rows", family, "rows", sizes),
                _figure("share", "kept", family, "%", shares),
            ]
        return made

    def verdict(self) -> Verdict | None:
        """Return where the kept rows are worse than the whole table or than random ones; None where nowhere."""
        return verdict_on(self.table_figures(), self.source.families, self.trimmed)

    def notes(self) -> list[str]:
        """What a person should know before reading the figures; first whether the kept rows are worth having."""
        source, count = self.source, len(self.random)
        said = [verdict.words] if (verdict := self.verdict()) else []
        if source.left_out:
            rows = f"{source.left_out} of {source.rows_in_file} rows"
            said.append(f"{rows} lack a family or a value that can be used, and were left out.")
        said += [str(each) for each in source.account]
        said += [remark] if (remark := remark_on(source)) else []
        if len(source.families) == 1:
            said.append("There is one family, so no bias between families: its distribution is thinned evenly.")
        if source.values.min() == source.values.max():
            said.append("Every value is equal, so that only the numbers of rows of the families could be evened out.")
        emptied = sum(min(point.sizes) == 0 for point in self.random)
        if emptied:
            said.append(f"{emptied} of {count} random trims lost a family altogether; their figures are without it.")
        scarce = sum(0 < min(size for size in point.sizes if size) < FEW_ROWS for point in self.random)
        if scarce:
            said.append(
                f"{scarce} of {count} random trims left a family with fewer than {FEW_ROWS} rows, whose entropy is"
                " mostly chance: their range and deviation say little."
            )
        return said


def rows_wanted(keep: str, source: TrimSource) -> int:
    """Return how many rows `--keep` means: a number, or a share such as 30%.

    Raises:
        SettingsError: When it is neither, or cannot be kept.
    """
    rows, families = len(source.values), len(source.families)
    match = KEPT.fullmatch(keep.strip())
    if match is None or (not match["percent"] and "." in match["number"]):
        raise SettingsError(
            f"--keep {keep} is no number of rows", expected="a whole number such as 500, or a share such as 30%"
        )
    number = Decimal(match["number"])
    wanted = int((number * rows / 100 if match["percent"] else number).to_integral_value())
    if wanted >= rows:
        raise SettingsError(
            f"--keep {keep} means {wanted} rows, and {source.path.name} has {rows} with family and value",
            expected=f"fewer than {rows}",
            action="keep fewer; nothing would be trimmed",
        )
    if wanted < families:
        raise SettingsError(
            f"--keep {keep} means {wanted} rows, and {source.path.name} has {families} families:"
            f" {listed(source.families)}",
            expected=f"at least {families}, one row for each family",
            action="keep more, or name a family column with fewer families",
        )
    return wanted


def measure_for(values: FloatArray, estimator: str, resolution: float | None) -> EntropyMeasure:
    """Return the measure that the figures are made with.

    Raises:
        SettingsError: When there is no such estimator, or the resolution cannot be one.
    """
    if estimator not in ESTIMATORS:
        raise SettingsError(f"There is no estimator {estimator!r}", expected=f"one of {', '.join(ESTIMATORS)}")
    if resolution is not None and not SMALLEST_RESOLUTION <= resolution < float("inf"):
        raise SettingsError(f"--resolution {resolution:g} is no difference of values", expected="a positive number")
    return EntropyMeasure(estimator, default_resolution(values) if resolution is None else resolution)


def trim(
    source: TrimSource, keep: int, measure: EntropyMeasure, seeds: int, progress: ProgressCall = lambda *_: None
) -> TrimResult:
    """Choose the rows to keep, and measure them beside the whole table and random trims of the same size.

    Args:
        source: The table.
        keep: How many rows to keep.
        measure: What the figures are measured with; rows are chosen by the m-spacing estimator of this resolution.
        seeds: How many random trims to compare with.
        progress: For a progress bar.
    """
    count = len(source.values)
    rows = rows_to_keep(
        source.codes,
        source.values,
        keep,
        resolution=measure.resolution,
        on_progress=lambda removed: progress("removing rows", removed, count - keep),
    )
    random: list[BiasPoint] = []
    for seed in range(seeds):
        progress("random trims", seed, seeds)
        drawn = np.random.default_rng(seed).choice(count, size=keep, replace=False, shuffle=False)
        random.append(_point(source, drawn, measure))
    progress("random trims", seeds, seeds)
    full = _point(source, np.arange(count), measure)
    return TrimResult(source, measure, rows, _level(full), full, _point(source, rows, measure), tuple(random))


def _point(source: TrimSource, rows: IndexArray, measure: EntropyMeasure) -> BiasPoint:
    return measure_bias(source.families, source.codes[rows], source.values[rows], measure)


def _figure(quantity: str, label: str, family: str, unit: str, values: Sequence[float | None]) -> Figure:
    full, trimmed, *random = values
    return Figure(quantity, label, family, unit, full, trimmed, tuple(random))


def _level(full: BiasPoint) -> float | None:
    pairs = [(h, size) for h, size in zip(full.entropies, full.sizes, strict=True) if h is not None]
    large = [h for h, size in pairs if size >= LEVEL_ROWS]
    return max(large or [h for h, _ in pairs], default=None)


def _mean_entropy(point: BiasPoint) -> float | None:
    known = [h for h in point.entropies if h is not None]
    return float(np.mean(known)) if known else None
