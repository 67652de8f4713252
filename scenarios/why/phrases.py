"""The words that the text and the figure share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from agent.entropy.bias import BiasPoint, priority
from agent.pool.candidates import Candidate, Pool
from agent.pool.design_edits import edits_to, levels_in_words
from agent.store.partial_pool import ReferencedPool
from protocols.wire.parameters import Parameters
from protocols.wire.structure import CrystalStructure
from scenarios.why.explanation import (
    CandidateDescription,
    Detail,
    Explanation,
    FamilyAtDecision,
    Prediction,
    StateAtDecision,
)

MAX_FAMILIES_SHOWN: Final = 14
"""Most families in the table: it stays on a screen with what stands around it."""

RICHEST_SHOWN: Final = 3
"""Of too many families, how many of the richest are shown; the rest of the rows go to the poorest, and the target."""

MOST_DECIMALS: Final = 6
"""Of a prediction; a smaller one is told with an exponent."""


def starved_first(then: StateAtDecision) -> list[FamilyAtDecision]:
    """Return the families, the poorest first (see `agent.entropy.bias.priority`)."""
    return sorted(then.families, key=lambda each: priority(each.entropy, each.size, each.name))


def shown_rows(ordered: list[FamilyAtDecision], target: str | None, most: int = MAX_FAMILIES_SHOWN) -> list[int]:
    """Return which rows are shown: all, or of too many the poorest, the richest and the target."""
    if len(ordered) <= most:
        return list(range(len(ordered)))
    targets = [at for at, family in enumerate(ordered) if family.name == target]
    richest = list(range(len(ordered) - RICHEST_SHOWN, len(ordered)))
    starved = [at for at in range(len(ordered)) if at not in {*targets, *richest}]
    return sorted({*targets, *richest, *starved[: most - len({*targets, *richest})]})


def nat(value: float | None) -> str:
    """Return an entropy, or that it is not defined."""
    return "–" if value is None else f"{value:.3f}".replace("-", "−")


def quantity(value: float, unit: str = "") -> str:
    """Return a figure with four digits, a real minus sign and its unit."""
    return f"{value:.4g}".replace("-", "−") + (f" {unit}" if unit else "")


def deviations_in_words(deviations: float) -> str:
    """Return how far off a prediction was: "1.3 predicted deviations above the prediction"."""
    return f"{abs(deviations):.1f} predicted deviations {'above' if deviations >= 0 else 'below'} the prediction"


def prediction_in_words(explanation: Explanation) -> str:
    """Return what was predicted, to two digits of its deviation: "0.12 ± 0.03 eV"; empty if the policy did not say."""
    mean, std = explanation.prediction.mean, explanation.prediction.std
    if mean is None:
        return "" if std is None else f"± {quantity(std, explanation.unit)} (the policy tells no mean)"
    if not std:
        return quantity(mean, explanation.unit)
    decimals = 1 - math.floor(math.log10(std))
    if not 0 <= decimals <= MOST_DECIMALS:
        return f"{quantity(mean)} ± {quantity(std, explanation.unit)}"
    return f"{mean:.{decimals}f} ± {std:.{decimals}f} {explanation.unit}".replace("-", "−").rstrip()


def named(candidate: CandidateDescription) -> str:
    """Return a candidate's formula, id and family."""
    formula = f"{candidate.formula} " if candidate.formula else ""
    return f"{formula}{candidate.name} ({candidate.family or 'family not known'})"


def entropy_of(point: BiasPoint | None, family: str) -> float | None:
    """Return the entropy of one family [nat]; None where undefined."""
    if point is None or family not in point.families:
        return None
    return point.entropies[point.families.index(family)]


PREDICTED_MEAN: Final = "predicted_mean"
PREDICTED_STD: Final = "predicted_std"
NOISE_STD: Final = "noise_std"

_OF_THE_PROPERTY: Final = "\0"
"""Stands for the unit of the campaign's property."""

_KNOWN: Final[Mapping[str, tuple[str, str]]] = {
    PREDICTED_MEAN: ("predicted mean", _OF_THE_PROPERTY),
    PREDICTED_STD: ("deviation of the surrogate, without noise", _OF_THE_PROPERTY),
    NOISE_STD: ("deviation of its noise", _OF_THE_PROPERTY),
    "signal_std": ("signal deviation of the surrogate", _OF_THE_PROPERTY),
    "lengthscale": ("length scale of the surrogate", "standardised features"),
    "n_labelled": ("labelled rows of the surrogate", ""),
    "n_in_flight": ("requests in flight of the family", ""),
    "entropy_before": ("entropy before, requests in flight included", "nat"),
    "expected_entropy_after": ("expected entropy after", "nat"),
    "expected_gain": ("expected gain", "nat"),
    "mean_gap": ("mean gap before, requests in flight included", "nat"),
    "gap_share": ("share of the squared gaps that it is expected to close", ""),
    "model_share": ("share of the model's variance over the pool that it takes away", ""),
    "joint_entropy_before": ("joint entropy before, requests in flight included", "nat"),
    "expected_joint_gain": ("expected change of the joint entropy", "nat"),
    "expected_gain_by_share": ("of it by one more of the family", "nat"),
    "n_covered": ("candidates known or in flight", ""),
    "mean_half_width": ("mean half-width of the effects", _OF_THE_PROPERTY),
    "expected_half_width": ("mean half-width that it narrows them to", _OF_THE_PROPERTY),
    "probability": ("probability of exceeding the threshold", ""),
    "log_bias_std": ("deviation of the earlier log's bias", _OF_THE_PROPERTY),
    "passive_rows_mislead_by": ("deviation of what passive rows imply from the effects", _OF_THE_PROPERTY),
}
"""Key -> label and unit. A key that is not here is shown as it is, without a unit."""


def describe_details(details: Mapping[str, float], unit: str) -> tuple[Detail, ...]:
    """Return the figures of a decision: those with a name first, in the order above, then the others as they came.

    Args:
        details: As journalled.
        unit: Of the campaign's property.
    """
    order = [key for key in _KNOWN if key in details] + [key for key in details if key not in _KNOWN]
    return tuple(_told(key, details[key], unit) for key in order)


def prediction_in(details: Mapping[str, float]) -> Prediction:
    """Return what was expected of the value: the surrogate's mean, and its deviation together with its noise."""
    std = details.get(PREDICTED_STD)
    of_value = None if std is None else math.hypot(std, details.get(NOISE_STD, 0.0))
    return Prediction(details.get(PREDICTED_MEAN), of_value)


def _told(key: str, value: float, unit: str) -> Detail:
    label, of = _KNOWN.get(key, (key, ""))
    return Detail(key, label, value, unit if of == _OF_THE_PROPERTY else of)


def describe_candidate(pool: Pool, candidate_id: str) -> CandidateDescription:
    """Tell a candidate of a pool; one that the pool does not hold has only its id."""
    index = pool.index_of.get(candidate_id)
    if index is None or (isinstance(pool, ReferencedPool) and candidate_id in pool.unplaced):
        source_id = "" if index is None else pool.candidates[index].source_id
        return CandidateDescription(candidate_id, None, source_id=source_id)
    candidate: Candidate = pool.candidates[index]
    structure = candidate.smiles if candidate.structure is None else structure_in_words(candidate.structure)
    designs = pool.designs
    return CandidateDescription(
        candidate_id,
        candidate.family,
        candidate.formula,
        structure,
        () if designs is None else levels_in_words(designs, index),
        () if designs is None else tuple(f"{edit.words} ({edit.kept_words})" for edit in edits_to(designs, index)),
        candidate.origin,
        candidate.source_id,
        "" if candidate.parameters is None else parameters_in_words(candidate.parameters),
    )


def parameters_in_words(parameters: Parameters) -> str:
    """Return what an instrument sets: "temperature = 353.1 K, flow_rate = 0.25 mL/min, solvent: ethanol"."""
    numbers = [f"{each.name} = {quantity(each.value, each.unit)}" for each in parameters.quantities()]
    return ", ".join((*numbers, *(f"{name}: {text}" for name, text in parameters.labels().items())))


def structure_in_words(structure: CrystalStructure) -> str:
    """Return atoms, volume and cell of a crystal: "2 atoms, 16.4 Å³/atom; a b c 2.90 2.90 4.10 Å, α β γ 90 90 90°"."""
    cell = np.array(structure.cell)
    lengths = np.linalg.norm(cell, axis=1)
    a, b, c = cell / lengths[:, None]
    angles = np.degrees(np.arccos(np.clip([b @ c, c @ a, a @ b], -1, 1)))
    atoms = len(structure.symbols)
    return (
        f"{atoms} atom{'s' * (atoms != 1)}, {structure.volume / atoms:.1f} Å³/atom; "
        f"a b c {_listed(lengths, 2)} Å, α β γ {_listed(angles, 0)}°"
    )


def _listed(numbers: np.ndarray[tuple[int], np.dtype[np.float64]], decimals: int) -> str:
    return " ".join(f"{number:.{decimals}f}" for number in numbers)
