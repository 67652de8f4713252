"""Are the candidates of the dataset called as the pool calls them? No event tells family and id of the start set."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from agent.run_files import RECORDING
from agent.store.tables import OBSERVATION
from protocols.errors import EntropilotError
from scenarios.sources.recording import recorded_scenario
from scenarios.verify.part import CheckedPart
from scenarios.verify.whole_pool import WholePool, bounded_world

LABELS: Final = "labels"
"""Name of the part."""


def check_labels(connection: Connection, folder: Path, plan: CampaignPlan, whole: WholePool) -> CheckedPart | None:
    """Compare family and own id of every candidate that is observed with the pool; None where that cannot be had.

    A table of crystals or molecules is not read again for it: that may take minutes.

    Args:
        connection: To the database.
        folder: The run folder; it is only read.
        plan: Of the campaign.
        whole: Its pool, where it was made again already.
    """
    columns = (OBSERVATION.c.candidate_id, OBSERVATION.c.family, OBSERVATION.c.source_id)
    rows = connection.execute(select(*columns).order_by(OBSERVATION.c.sequence, OBSERVATION.c.candidate_id)).all()
    try:
        pool = whole.pool or (_pool_of_table(folder, plan) if any(row.source_id for row in rows) else None)
    except (EntropilotError, OSError) as error:
        found = error.found.rstrip(".") if isinstance(error, EntropilotError) else str(error)
        return CheckedPart(LABELS, 0, note=f"families and ids were not compared with the table: {found}")
    if pool is None:
        return None
    for sound, row in enumerate(rows):
        which = plan.measurement_of(row.candidate_id).candidate_id
        if which not in pool.index_of:
            continue  # it joined later: the journal tells of it
        candidate = pool.candidate(which)
        for name, right in (("family", candidate.family), ("source_id", candidate.source_id)):
            if (written := getattr(row, name)) != right:
                problem = f"the observation of {row.candidate_id!r} says {name} = {written!r}; the pool says {right!r}"
                return CheckedPart(LABELS, sound, problem)
    return CheckedPart(LABELS, len(rows))


def _pool_of_table(folder: Path, plan: CampaignPlan) -> Pool | None:
    columns = recorded_scenario(folder / RECORDING).pool.columns
    if columns is None or columns.structure or columns.smiles:
        return None
    return bounded_world(folder, plan).pool
