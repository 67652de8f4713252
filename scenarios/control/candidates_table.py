"""New candidates from a table that is written as the campaign's own is: the same columns, but for what is measured.

Ids and features are made as those of the pool are, by the same readers, so that a candidate that is there already is
recognised, and a policy sees the new ones as it sees the others.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.pool.candidates import Pool
from agent.pool.tables import DescribeStructures
from protocols.errors import SettingsError, TableError
from protocols.settings.suggestions import listed
from protocols.tables.cells import FloatArray
from protocols.tables.columns import BinnedColumn, TableColumns
from protocols.tables.families import families_of
from protocols.tables.format import USUAL, TableFormat
from protocols.tables.ids import candidate_ids_of
from protocols.tables.rows import feature_matrix, parameters_of
from protocols.tables.usable import UsableRows, usable_rows
from protocols.wire.messages import AddedCandidate, cut
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.settings.model import Scenario
from scenarios.world.crystals.search import FEATURE_TOLERANCES
from scenarios.world.structures import described_by, structure_reader

FAMILY: Final = "family"
"""Column of the family, where the campaign's table has none that a new row could be sorted by."""

STRUCTURE: Final = "structure"
"""Column of the structures, where the pool of a campaign was made without a table."""

TYPED: Final = "what was typed"
"""Where a row stands that was typed on the command line."""


@dataclass(frozen=True, slots=True)
class TableOfCandidates:
    """The new candidates of a table.

    Attributes:
        candidates: In its order.
        places: Where each stands, as a person counts.
    """

    candidates: tuple[AddedCandidate, ...]
    places: tuple[str, ...]


class _Description(TableColumns):
    """Columns that describe candidates of which nothing is measured yet."""

    def measured(self) -> tuple[str, ...]:
        """Nothing."""
        return ()


def read_candidates(
    path: Path, how: TableFormat, scenario: Scenario, pool: Pool, progress: ProgressCall = no_progress
) -> TableOfCandidates:
    """Read new candidates from a table.

    Args:
        path: The file.
        how: How it is written.
        scenario: Of the campaign.
        pool: That it makes, before anything has joined it.
        progress: For a progress bar.

    Raises:
        TableError: When it lacks a column, or with the place of the first cell that cannot be used.
        SettingsError: When nothing can join such a pool.
    """
    columns = _columns_of(scenario, pool, how)
    reader = structure_reader(path.name, progress, describes=columns.structure is not None and not columns.features)
    usable = usable_rows(path, columns, reader)
    rows = usable.rows
    families = families_of(rows, columns, usable.structures, {*usable.spellings, *columns.family_names}).names
    ids = candidate_ids_of(rows, columns, usable.molecules, usable.structures)
    formulas = _formulas(usable, columns)
    features, names = _features(usable, columns, formulas, pool, described_by(reader))
    if scenario.pool.composition_statistics and not columns.features:
        from agent.pool.statistics import with_statistics

        features, names = with_statistics(features, names, formulas)
    if tuple(names) != pool.feature_names:
        raise TableError(
            f"The features of {path} are {listed(names)}",
            expected=f"those of the pool: {listed(pool.feature_names)}",
            action="describe the candidates as the campaign's own table does",
        )
    places = tuple(rows.place(row) for row in range(len(ids)))
    positions = rows.kept.tolist()
    to_set = parameters_of(rows, columns)
    candidates = tuple(
        AddedCandidate(
            candidate_id=ids[row],
            family=families[row],
            features=tuple(features[row].tolist()),
            formula=cut(formulas[row]),
            structure=usable.structures[position].crystal if position in usable.structures else None,
            smiles=usable.molecules[position].smiles if position in usable.molecules else None,
            parameters=to_set[row].quantities() if to_set else (),
            labels=to_set[row].labels() if to_set else {},
            origin=cut(places[row]),
        )
        for row, position in enumerate(positions)
    )
    return TableOfCandidates(candidates, places)


def typed_candidate(cells: Mapping[str, str], scenario: Scenario, pool: Pool) -> TableOfCandidates:
    """Return the one new candidate whose row was typed.

    Args:
        cells: By column.
        scenario: Of the campaign.
        pool: That it makes.

    Raises:
        TableError: As `read_candidates`.
        SettingsError: The same.
    """
    text = io.StringIO()
    csv.writer(text).writerows((cells.keys(), cells.values()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "typed.csv"
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        try:
            made = read_candidates(path, USUAL, scenario, pool)
        except TableError as error:
            found = error.found.replace(f"The table {path}", "The row that was typed").replace(
                f"line 2 of {path.name}", TYPED
            )
            raise TableError(found, expected=error.expected, action=error.action) from None
    typed = tuple(each.model_copy(update={"origin": "typed by an operator"}) for each in made.candidates)
    return TableOfCandidates(typed, (TYPED,) * len(typed))


def _columns_of(scenario: Scenario, pool: Pool, how: TableFormat) -> _Description:
    """Return what the columns of a table of new candidates mean.

    Raises:
        SettingsError: When nothing can join such a pool.
    """
    if pool.designs is not None or pool.interventions is not None:
        raise SettingsError(
            "The pool of this campaign is a closure of designs or interventions",
            expected="a pool that grows",
            action="start another campaign, with a table that has the new ones too",
        )
    written: dict[str, Any] = {name: getattr(how, name) for name in TableFormat.model_fields}
    changed: dict[str, Any] = {"additional_properties": {}, "on_missing": "error", "on_replicates": "error"}
    columns = scenario.pool.columns
    if columns is None:
        made_of: dict[str, Any] = {
            "property": scenario.campaign.property,
            "unit": scenario.campaign.unit,
            "structure": STRUCTURE,
        }
        tolerances = dict(zip(("symmetry_tolerance", "angle_tolerance"), FEATURE_TOLERANCES, strict=True))
        if scenario.pool.features:
            made_of["features"] = pool.feature_names  # of a table beside it: nothing makes them of a structure
        return _Description.model_validate(made_of | tolerances | written | changed)
    if columns.feature_patterns() or scenario.pool.features:
        changed["features"] = pool.feature_names  # those of a table beside it too
    if any(_is_of_the_whole(each) for each in columns.family_parts()):
        changed["family"] = FAMILY
    written["missing"] = how.missing or columns.missing
    return _Description.model_validate(columns.model_dump() | written | changed)


def _is_of_the_whole(part: object) -> bool:
    """Whether a family is one of bins of equally many rows: where a new row belongs, only the whole table could say."""
    return isinstance(part, BinnedColumn) and part.bins is not None


def _formulas(usable: UsableRows, columns: TableColumns) -> Sequence[str]:
    positions = usable.rows.kept.tolist()
    if columns.composition is not None:
        return usable.rows.texts[columns.composition]
    described = usable.structures or usable.molecules
    return [described[each].formula if each in described else "" for each in positions]


def _features(
    usable: UsableRows, columns: TableColumns, formulas: Sequence[str], pool: Pool, describe: DescribeStructures
) -> tuple[FloatArray, Sequence[str]]:
    """Return the features, shape (n, d), and their names: of columns, else of structures, else of formulas."""
    if columns.features or not pool.feature_names:
        return feature_matrix(usable.rows), usable.rows.features
    from agent.pool.features import composition_features

    if columns.structure is None:
        return composition_features(formulas)
    crystals = [usable.structures[each].crystal for each in usable.rows.kept.tolist()]
    return describe(crystals, columns.symmetry_tolerance, columns.angle_tolerance)
