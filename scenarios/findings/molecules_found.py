"""The molecules that a campaign found above its threshold: what was changed to get each, and what that did.

A closure of designs says what was changed: a level of the queried factor in place of the reference, all else kept. What
it did is the difference to the value of the molecule without the change, where the campaign paid for that; else what is
believed of the level's effect, averaged over everything else. Of several changes that make a molecule the one is told
that did most, those with a known difference first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.acquisition.registry import make_meter
from agent.campaign.context import pool_arrays
from agent.campaign.dataset import dataset_of
from agent.campaign.event_descriptions import additions_of
from agent.campaign.events import Event
from agent.campaign.plan import CampaignPlan
from agent.metrics import EffectMeter, HitMeter
from agent.pool.candidates import Candidate, Pool
from agent.pool.design_edits import DesignEdit, edits_to
from agent.pool.growth import grown
from protocols.settings.user_code import CodeSource
from protocols.storage.csv_file import write_csv

COLUMNS: Final = (
    "candidate",
    "source_id",
    "formula",
    "smiles",
    "value",
    "change",
    "kept",
    "reference",
    "difference",
    "believed_effect",
)
"""Of the file: what was found, best first; the difference is empty where the reference was not measured."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed to get a molecule, and what it did.

    Attributes:
        edit: The change.
        reference: The molecule without it.
        difference: By how much its value is larger [unit]; None where the reference was not measured.
        believed: What is believed of the effect of such a change, averaged over all else [unit]; None where nothing is.
    """

    edit: DesignEdit
    reference: Candidate
    difference: float | None
    believed: float | None

    def did(self, unit: str) -> str:
        """Say what it did: "+4.21 D", or "about +3.9 D (believed)"."""
        if self.difference is not None:
            return f"{self.difference:+.2f} {unit}".rstrip().replace("-", "−")
        if self.believed is not None:
            return f"about {self.believed:+.2f} {unit}".rstrip().replace("-", "−") + " (believed)"
        return "not known"


@dataclass(frozen=True, slots=True)
class FoundMolecule:
    """A molecule above the threshold: its value [unit], and what made it; None where no design tells."""

    candidate: Candidate
    value: float
    change: Change | None


@dataclass(frozen=True, slots=True)
class MoleculesFound:
    """What was found.

    Attributes:
        molecules: Best first.
        observations: Values that the campaign paid for.
        threshold: What was to be exceeded [unit].
        property: Name of the property.
        unit: Its unit.
    """

    molecules: tuple[FoundMolecule, ...]
    observations: int
    threshold: float
    property: str
    unit: str

    def in_words(self) -> str:
        """Say how many were found."""
        above = f"{self.threshold:g} {self.unit}".rstrip()
        return f"{len(self.molecules)} of {self.observations} molecules measured are above {above}"


def molecules_found(events: Iterable[Event], plan: CampaignPlan, pool: Pool, code: CodeSource) -> MoleculesFound | None:
    """Return what a campaign found; None where it sought nothing, or its candidates are no molecules.

    Args:
        events: Its journal.
        plan: What it was started with.
        pool: The candidates at the start.
        code: Where a policy of the user's own may come from.
    """
    if not plan.metrics or not any(each.smiles for each in pool.candidates):
        return None
    name, options = plan.metered_by
    meter = make_meter(name, options, pool_arrays(pool), plan.property_names, code)
    if not isinstance(meter, HitMeter) or meter.threshold is None:
        return None
    values: dict[int, float] = {}
    events = list(events)
    for event in events:
        pool = grown(pool, additions_of(event))
    for each in dataset_of(events, plan.property_names[1:]).values():
        index = pool.index_of[each.candidate_id]
        values[index] = each.value
        meter.add(index, each.value, *each.additional)
    believed = {each.name: each.mean for each in meter.effects()} if isinstance(meter, EffectMeter) else {}
    hits = sorted((index for index, value in values.items() if value > meter.threshold), key=lambda i: (-values[i], i))
    molecules = (
        FoundMolecule(pool.candidates[index], values[index], _change(pool, index, values, believed)) for index in hits
    )
    return MoleculesFound(tuple(molecules), len(values), meter.threshold, plan.label, plan.unit)


def write_found(path: Path, found: MoleculesFound) -> None:
    """Write all molecules that were found as CSV.

    Raises:
        StoreError: When the file cannot be written.
    """
    write_csv(path, COLUMNS, (_row(each) for each in found.molecules))


def _row(found: FoundMolecule) -> Sequence[object]:
    one, change = found.candidate, found.change
    begin = (one.candidate_id, one.source_id, one.formula, one.smiles, found.value)
    if change is None:
        return (*begin, one.origin, "", "", "", "")
    told = ("" if each is None else each for each in (change.difference, change.believed))
    return (*begin, change.edit.words, change.edit.kept_words, change.reference.smiles, *told)


def _change(pool: Pool, index: int, values: Mapping[int, float], believed: Mapping[str, float]) -> Change | None:
    if pool.designs is None:
        return None
    changes = []
    for edit in edits_to(pool.designs, index):
        before = values.get(edit.reference)
        difference = None if before is None else values[index] - before
        changes.append(Change(edit, pool.candidates[edit.reference], difference, believed.get(edit.level)))
    return max(changes, key=_weight, default=None)


def _weight(change: Change) -> tuple[bool, float]:
    known = change.difference is not None
    return known, abs(change.difference if change.difference is not None else change.believed or 0.0)
