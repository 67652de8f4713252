"""The pool of a campaign, made of a table of candidates. No measured value ever gets into it."""

from __future__ import annotations

from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.tables.table import CandidateTable


def pool_from_table(table: CandidateTable) -> Pool:
    """Make the pool: features are the named columns, else made of the structures, else of the formulas.

    Args:
        table: As `protocols.tables.table.read_table` gives it; its order does not matter.

    Raises:
        TableError: When a structure or a formula gives no features, or the pool breaks its bounds (`make_pool`).
    """
    structures = table.structures or (None,) * len(table.candidate_ids)
    smiles = table.smiles or ("",) * len(table.candidate_ids)
    columns = (table.candidate_ids, table.families, table.formulas, structures, smiles)
    candidates = [Candidate(*row) for row in zip(*columns, strict=True)]
    if table.feature_names:
        return make_pool(candidates, table.features, table.feature_names)
    # pymatgen is heavy, and a table with features of its own does not need it.
    from agent.pool.features import composition_features, structure_features

    made = composition_features(table.formulas) if table.structures is None else structure_features(table.structures)
    return make_pool(candidates, *made)
