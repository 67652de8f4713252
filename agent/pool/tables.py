"""The pool of a campaign, made of a table of candidates. No measured value ever gets into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from agent.pool.candidates import Candidate, Pool, make_pool
from agent.pool.designs import make_designs
from agent.pool.earlier_log import make_log
from protocols.errors import TableError
from protocols.tables.cells import FloatArray
from protocols.tables.designs import FeatureTable, LogRows
from protocols.tables.leaks import find_leaks
from protocols.tables.table import CandidateTable
from protocols.wire.structure import CrystalStructure

DescribeStructures = Callable[[Sequence[CrystalStructure | None], float, float], tuple[FloatArray, tuple[str, ...]]]
"""Makes features of structures (length n), symmetry tolerance [Å] and angle tolerance [degree]: shape (n, d), names."""


def pool_from_table(
    table: CandidateTable,
    features: FeatureTable | None = None,
    log: LogRows | None = None,
    describe: DescribeStructures | None = None,
) -> Pool:
    """Make the pool: features are the named columns, else made of the structures, else of the formulas.

    Args:
        table: As `protocols.tables.table.read_table` gives it; its order does not matter.
        features: Of the candidates, from a table beside it, after those of its own columns.
        log: Values from before the campaign.
        describe: Makes features of structures as `agent.pool.features.structure_features` does, which is the default:
            for who has them already.

    Raises:
        TableError: When a structure or a formula gives no features, a feature is a measured property, or the pool
            breaks its bounds (`make_pool`).
    """
    structures = table.structures or (None,) * len(table.candidate_ids)
    smiles = table.smiles or ("",) * len(table.candidate_ids)
    source_ids = table.source_ids or ("",) * len(table.candidate_ids)
    parameters = table.parameters or (None,) * len(table.candidate_ids)
    columns = (table.candidate_ids, table.families, table.formulas, structures, smiles, source_ids, parameters)
    candidates = [
        Candidate(one, family, formula, structure, smiles=of_it, source_id=source_id, parameters=what_to_set)
        for one, family, formula, structure, of_it, source_id, what_to_set in zip(*columns, strict=True)
    ]
    _require_label_free(table, table.feature_names, table.features)
    if table.designs is not None or features is not None:
        return _with_designs(_with_features(table, candidates, features), table, log)
    if table.feature_names:
        return make_pool(candidates, table.features, table.feature_names)
    # pymatgen is heavy, and a table with features of its own does not need it.
    from agent.pool.features import composition_features, structure_features

    if table.structures is None:
        return make_pool(candidates, *composition_features(table.formulas))
    tolerances = (table.columns.symmetry_tolerance, table.columns.angle_tolerance)
    return make_pool(candidates, *(describe or structure_features)(table.structures, *tolerances))


def _with_features(table: CandidateTable, candidates: Sequence[Candidate], beside: FeatureTable | None) -> Pool:
    """Make the pool with the features of its own columns and of a table beside it."""
    if beside is None:
        return make_pool(candidates, table.features, table.feature_names)
    if twice := sorted(set(table.feature_names) & set(beside.names)):
        raise TableError(
            f"The feature {twice[0]!r} stands in the pool's table and in the table of features {beside.path}",
            expected="every feature once",
            action="leave it out of pool.columns.features or of pool.features.columns",
        )
    own = beside.of(table.keys)
    _require_label_free(table, beside.names, own, "pool.features.columns")
    matrix = np.hstack((table.features, own))
    return make_pool(candidates, matrix, (*table.feature_names, *beside.names))


def _require_label_free(
    table: CandidateTable, names: Sequence[str], features: FloatArray, setting: str = "the features"
) -> None:
    """Check that no feature is a measured property by another name: a policy would be told what it is to ask for."""
    measured = {table.columns.property: table.values, **table.additional}
    for leak in find_leaks(dict(zip(names, features.T, strict=True)), measured):
        if leak.kind != "order":
            raise TableError(
                f"A feature tells what is to be measured: {leak}",
                expected="features that take no measurement",
                action=f"leave it out of {setting}",
            )


def _with_designs(pool: Pool, table: CandidateTable, log: LogRows | None) -> Pool:
    """Add the designs of a table to the pool that it makes, and the log beside them."""
    if table.designs is None:
        return pool
    index = np.array([pool.index_of[each] for each in table.candidate_ids], dtype=np.int64)
    texts = [each.smiles or each.formula or each.candidate_id for each in pool.candidates]
    designs = make_designs(
        table.designs.factors,
        index[table.designs.made].tolist(),
        texts,
        queried=table.columns.queried or table.columns.factors[0],
        reference=table.columns.reference or "",
    )
    earlier = None if log is None else make_log(designs, log.factors, log.values.tolist())
    return replace(pool, designs=designs, log=earlier)
