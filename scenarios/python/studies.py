"""Studies from Python: compare policies, trim a table, replay a recording, ask what if. Nothing is written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Group

from protocols.errors import SettingsError, TableError
from protocols.tables.columns import TableColumns
from scenarios.display.progress import no_progress
from scenarios.python.calling import call, call_beside
from scenarios.python.finished import Run
from scenarios.python.frames import FrameColumns, id_column_of, write_fill, write_frame
from scenarios.python.scenario import Scenario, assignments_of, folder_of_runs, settings_of
from scenarios.python.shown import Figure, as_html, as_text, embedded
from scenarios.python.tables import trajectory_frame
from scenarios.sources.scenario import Overrides, layered_over

if TYPE_CHECKING:
    from scenarios.compare.comparison import Comparison
    from scenarios.replay.replay import Replay
    from scenarios.trim.trim import TrimResult
    from scenarios.what_if.what_if import WhatIf


@dataclass(frozen=True, slots=True)
class Compared:
    """Policies, compared over seeds.

    Attributes:
        comparison: All that was found, as plain values.
    """

    comparison: Comparison

    @property
    def final(self) -> pd.DataFrame:
        """What every campaign came to, a row for each policy and seed."""
        found = self.comparison
        rows = [
            {"policy": policy, "seed": seed, "acquired": run.points[-1][0]}
            | {metric.name: run.points[-1][1].value(metric.name) for metric in found.metrics}
            for policy, runs in found.runs.items()
            for seed, run in zip(found.seeds, runs, strict=True)
        ]
        return pd.DataFrame(rows).set_index(["policy", "seed"])

    @property
    def tests(self) -> pd.DataFrame:
        """The first policy against every other one, metric by metric, seed by seed: difference, interval, p-value."""
        found = self.comparison
        return pd.DataFrame([each.flat() for each in found.contrasts(found.measures())])

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it comes to, a sentence for each figure."""
        return tuple(self.comparison.sentences())

    def figure(self) -> Figure:
        """Draw the metrics over the campaigns."""
        from scenarios.compare.files import FIGURE, write_comparison

        folder = Path(tempfile.mkdtemp(prefix="entropilot-figure-"))
        write_comparison(self.comparison, folder)
        return Figure(folder / FIGURE)

    def _content(self) -> Group:
        from scenarios.compare.tables import conclusions, tables

        return Group(*tables(self.comparison), *conclusions(self.comparison))

    def __repr__(self) -> str:
        return as_text(self._content())

    def _repr_html_(self) -> str:
        return as_html(self._content()) + embedded(self.figure(), "The metrics of the policies over the campaigns")


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A table that was trimmed.

    Attributes:
        rows: The kept rows, as they stand in the table and in their order.
        result: All figures, of the whole table, of the kept rows and of random ones.
    """

    rows: pd.DataFrame
    result: TrimResult

    @property
    def figures(self) -> pd.DataFrame:
        """The figures, by quantity and family; `""` is the whole table."""
        told = (*self.result.table_figures(), *self.result.family_figures())
        rows = [
            {
                "quantity": each.quantity,
                "family": each.family,
                "unit": each.unit,
                "full": each.full,
                "trimmed": each.trimmed,
                "random_mean": each.over_random()[0],
                "random_std": each.over_random()[1],
            }
            for each in told
        ]
        return pd.DataFrame(rows).set_index(["quantity", "family"])

    def __repr__(self) -> str:
        from scenarios.trim.report import trim_table

        return as_text(Group(*self.result.notes(), trim_table(self.result)))

    def _repr_html_(self) -> str:
        from scenarios.trim.report import trim_table

        return as_html(Group(*self.result.notes(), trim_table(self.result)))


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recording that was judged again.

    Attributes:
        replay: All that was found.
    """

    replay: Replay

    @property
    def is_identical(self) -> bool:
        """Whether every decision is made again as it was recorded, and nothing differs."""
        return self.replay.outcome.is_identical

    @property
    def decisions(self) -> int:
        """How many decisions were made again and compared."""
        return self.replay.outcome.decisions

    def __bool__(self) -> bool:
        return self.is_identical

    def __repr__(self) -> str:
        from scenarios.replay.report import replay_table

        return as_text(replay_table(self.replay))

    def _repr_html_(self) -> str:
        from scenarios.replay.report import replay_table

        return as_html(replay_table(self.replay))


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A campaign as it would have gone.

    Attributes:
        found: It, beside the recorded one.
    """

    found: WhatIf

    @property
    def recorded(self) -> pd.DataFrame:
        """The trajectory as it was."""
        return trajectory_frame(self.found.recorded.points)

    @property
    def other(self) -> pd.DataFrame:
        """The trajectory as it would have been."""
        return trajectory_frame(self.found.other.trajectory.points)

    @property
    def coverage(self) -> float:
        """Share of the other campaign's candidates that the recording answers for."""
        return self.found.coverage

    def __repr__(self) -> str:
        from scenarios.what_if.report import what_if_table

        return as_text(what_if_table(self.found))

    def _repr_html_(self) -> str:
        from scenarios.what_if.report import what_if_table

        return as_html(what_if_table(self.found))


def compare(
    scenario: str | Path | Scenario,
    policies: Sequence[str] | None = None,
    *,
    seeds: int | Sequence[int] = 10,
    budget: int | None = None,
    downstream: bool = False,
    settings: Mapping[str, object] | None = None,
    runs: str | Path | None = None,
) -> Compared:
    """Compare policies on a scenario over seeds, from the same starts, without broker or lab.

    Args:
        scenario: Name, path or `Scenario`; the value of every candidate must be known.
        policies: Exactly these, the one to judge first; by default the scenario's own, then the baselines.
        seeds: How many, or which.
        budget: Candidates that may be requested.
        downstream: Whether models are trained on what was acquired, too.
        settings: Any setting by its dotted name.
        runs: Where run folders are.

    Raises:
        EntropilotError: When the scenario, a policy or the table cannot be used.
    """
    given: dict[str, Any] = {"seeds": seeds, "budget": budget, "settings": settings, "runs": runs}
    return call(lambda _: _compared(scenario, policies, downstream=downstream, **given))


async def acompare(
    scenario: str | Path | Scenario,
    policies: Sequence[str] | None = None,
    *,
    seeds: int | Sequence[int] = 10,
    budget: int | None = None,
    downstream: bool = False,
    settings: Mapping[str, object] | None = None,
    runs: str | Path | None = None,
) -> Compared:
    """Do what `compare` does, while the event loop of here goes on."""
    given: dict[str, Any] = {"seeds": seeds, "budget": budget, "settings": settings, "runs": runs}
    return await call_beside(lambda _: _compared(scenario, policies, downstream=downstream, **given))


def trim(
    table: pd.DataFrame | str | Path,
    *,
    keep: float | str,
    family: str,
    property: str,  # noqa: A002 - the field's word
    id: str | None = None,  # noqa: A002 - the table's word
    unit: str = "",
    valid_range: tuple[float, float] | None = None,
    random_trims: int = 20,
    estimator: str = "m_spacing",
    resolution: float | None = None,
) -> Trimmed:
    """Trim a table to a given size with the least bias and the least loss of entropy.

    Args:
        table: A data frame, or the path of a table of any kind that is read.
        keep: How many rows: a number, a share below 1, or a text such as `"30%"`.
        family: Column with the family.
        property: Column with the property whose entropy counts.
        id: Column with ids, which are checked to be distinct.
        unit: Of the property.
        valid_range: Smallest and largest value that can be true; rows outside are left out.
        random_trims: How many random trims to compare with.
        estimator: Measures the figures: m_spacing, kozachenko_leonenko, gaussian_kernel or published.
        resolution: Smallest difference of values that counts; by default a thousandth of their deviation.

    Returns:
        The kept rows; a data frame keeps its index.

    Raises:
        EntropilotError: When the table, or what is asked of it, cannot be used.
    """
    from scenarios.trim import trim as trimming
    from scenarios.trim.source import NamedColumns, read_source

    columns = NamedColumns(family, property, id, unit, valid_range)
    wanted = f"{100 * keep:.12g}%" if isinstance(keep, float) and keep < 1 else str(keep)
    with tempfile.TemporaryDirectory(prefix="entropilot-trim-") as folder:
        path = Path(folder) / "table.csv" if isinstance(table, pd.DataFrame) else Path(table)
        if isinstance(table, pd.DataFrame):
            column = id_column_of(table, id)
            FrameColumns(property, family, column).of(table)
            write_frame(table, path, FrameColumns(property, family, column or family))
        source = read_source(str(path), columns)
        measure = trimming.measure_for(source.values, estimator, resolution)
        result = trimming.trim(source, trimming.rows_wanted(wanted, source), measure, random_trims, no_progress)
        positions = source.positions[result.rows]
        if isinstance(table, pd.DataFrame):
            return Trimmed(table.iloc[positions], result)
        return Trimmed(_rows_of(path, result), result)


def replay(recording: str | Path | Run, *, campaign: str | None = None, runs: str | Path | None = None) -> Replayed:
    """Judge a recording again: the same messages into the same rules, every decision made again and compared.

    Args:
        recording: A run, a run folder, a recording's file, a pack, or a name.
        campaign: Which one, where a recorder heard several.
        runs: Where run folders are.

    Raises:
        EntropilotError: When it cannot be read or followed.
    """
    return call(lambda _: _replayed(recording, campaign, runs))


async def areplay(
    recording: str | Path | Run, *, campaign: str | None = None, runs: str | Path | None = None
) -> Replayed:
    """Do what `replay` does, while the event loop of here goes on."""
    return await call_beside(lambda _: _replayed(recording, campaign, runs))


def what_if(
    recording: str | Path | Run,
    *,
    policy: str | None = None,
    budget: int | None = None,
    seed: int | None = None,
    settings: Mapping[str, object] | None = None,
    fill: pd.DataFrame | str | Path | None = None,
    campaign: str | None = None,
    runs: str | Path | None = None,
) -> Counterfactual:
    """Tell what would have happened with another policy or other settings, from the same start.

    The recorded results answer; what was never measured is counted as unknown, unless `fill` says who answers.

    Args:
        recording: A run, a run folder, a recording's file, a pack, or a name.
        policy: Another one.
        budget: Another one.
        seed: Another one.
        settings: Any setting by its dotted name.
        fill: A data frame with the columns of the pool (the ids may be its index), a table's path, or `"simulator"`.
        campaign: Which one, where a recorder heard several.
        runs: Where run folders are.

    Raises:
        EntropilotError: When it cannot be read or followed, or the settings change what it stands on.
    """
    overrides = Overrides({"policy": policy, "budget": budget, "seed": seed}, assignments_of(settings))
    return call(lambda _: _counterfactual(recording, overrides, fill, campaign, runs))


def _compared(
    scenario: str | Path | Scenario,
    policies: Sequence[str] | None,
    *,
    seeds: int | Sequence[int],
    budget: int | None,
    settings: Mapping[str, object] | None,
    runs: str | Path | None,
    downstream: bool,
) -> Compared:
    from scenarios.compare.compare import compare_policies

    meant = settings_of(scenario, budget=budget, settings=settings, runs=folder_of_runs(runs))
    meant = meant.model_copy(update={"crashes": type(meant.crashes)()})  # nothing is run
    numbers = range(seeds) if isinstance(seeds, int) else seeds
    return Compared(compare_policies(meant, policies, numbers, no_progress, downstream=downstream))


def _replayed(recording: str | Path | Run, campaign: str | None, runs: str | Path | None) -> Replayed:
    from scenarios.replay.replay import replay as replay_recording
    from scenarios.sources.recording_source import named_source

    source = named_source(_name_of(recording), folder_of_runs(runs), None, no_progress)
    return Replayed(replay_recording(source, no_progress, campaign=campaign))


def _counterfactual(
    recording: str | Path | Run,
    overrides: Overrides,
    fill: pd.DataFrame | str | Path | None,
    campaign: str | None,
    runs: str | Path | None,
) -> Counterfactual:
    from scenarios.sources.recording_source import named_source
    from scenarios.what_if.what_if import what_if as play_other

    source = named_source(_name_of(recording), folder_of_runs(runs), None, no_progress)
    other = layered_over(source.scenario, f"recording {source.path.name}", overrides)
    with tempfile.TemporaryDirectory(prefix="entropilot-fill-") as folder:
        filler = None if fill is None else _fill_of(fill, other.pool.columns, Path(folder))
        return Counterfactual(play_other(source, other, filler, no_progress, campaign=campaign))


def _fill_of(fill: pd.DataFrame | str | Path, columns: TableColumns | None, folder: Path) -> str:
    """Return what fills in as the command line names it; a data frame is written to a folder.

    Raises:
        SettingsError: When nothing says what the columns of a frame mean.
        TableError: When the frame cannot be used.
    """
    if not isinstance(fill, pd.DataFrame):
        return str(fill)
    if columns is None:
        raise SettingsError(
            "The scenario's pool is no table, so nothing says what the columns of a data frame mean",
            expected='fill="simulator"',
        )
    path = folder / "fill.csv"
    write_fill(fill, path, columns)
    return str(path)


def _rows_of(path: Path, result: TrimResult) -> pd.DataFrame:
    """Return the kept rows of a table's file, read as they were trimmed.

    Raises:
        TableError: When it cannot be read as a data frame.
    """
    from scenarios.trim.report import write_trim

    with tempfile.TemporaryDirectory(prefix="entropilot-trim-") as folder:
        written = write_trim(result, Path(folder)).files[0]
        try:
            return pd.read_parquet(written) if written.suffix == ".parquet" else pd.read_csv(written)
        except (OSError, ValueError) as error:
            raise TableError(f"{path} cannot be read as a data frame ({error})", action="give a data frame") from None


def _name_of(recording: str | Path | Run) -> str:
    return str(recording.folder if isinstance(recording, Run) else recording)
