"""What can be told of one decision, as plain values: for people, for a figure, and for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from agent.campaign.life_cycle import CandidateStatus
from agent.entropy.bias import BiasPoint
from agent.pool.candidates import named


@dataclass(frozen=True, slots=True)
class CandidateDescription:
    """A candidate in words.

    Attributes:
        candidate_id: Its id.
        family: Its family; None where the run does not tell.
        formula: Its formula; empty where the pool has none, or cannot be had.
        structure: Atoms, volume and cell of a crystal in words, or the SMILES of a molecule; empty where it is neither.
        designs: Levels of each design that makes it, in words; empty where the pool is no closure of designs.
        edits: What was changed against the reference design to make it: "x: H → NO2 (y = NH2)"; likewise.
        origin: How it came about, where it joined the pool after the start.
        source_id: Its id as the pool's table writes it; empty where that has none.
        parameters: What an instrument sets to make it, in words; empty where nobody told.
    """

    candidate_id: str
    family: str | None
    formula: str = ""
    structure: str = ""
    designs: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    origin: str = ""
    source_id: str = ""
    parameters: str = ""

    @property
    def name(self) -> str:
        """The id for people: as the table writes it, with ours beside it where they differ."""
        return named(self.candidate_id, self.source_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyAtDecision:
    """A family as the decision saw it.

    Attributes:
        name: Its name.
        size: Known values.
        entropy: Of them [nat]; None where undefined.
        in_flight: Requested and not known to the decision.
        available: Candidates that could be chosen; None where the pool cannot be had.
        no_gain_count: Latest acquisitions in a row without a gain; None for a policy that does not count them so.
        excluded: Whether the policy had given it up by then, though it had candidates left.
    """

    name: str
    size: int
    entropy: float | None
    in_flight: int
    available: int | None
    no_gain_count: int | None
    excluded: bool


@dataclass(frozen=True, slots=True)
class InFlight:
    """A request whose result the decision could not use.

    Attributes:
        candidate: What was requested.
        decision: By which decision.
        answered: Whether its result was there by then, and is left to a later decision because of the order.
    """

    candidate: CandidateDescription
    decision: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """A figure that the policy noted with its decision; `label` is its key where nobody has named it."""

    key: str
    label: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was expected of the value of the first choice [unit of the campaign]; None where the policy did not say.

    The deviation is that of the value to come: of the surrogate, and of its noise.
    """

    mean: float | None
    std: float | None


@dataclass(frozen=True, slots=True)
class AttemptDescription:
    """An attempt and how it ended, in words; the duration is the lab's own [s], and what it took of each stock."""

    attempt_id: str
    number: int
    recipient: str
    disposition: str
    duration_s: float | None = None
    takes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateOutcome:
    """What became of a chosen candidate.

    Attributes:
        status: Where it stands at the end of the journal.
        reason: Why, if it was abandoned or excluded.
        attempts: In order.
        value: Observed [unit of the campaign]; None without an observation.
        row: Of the journal, at which the value came.
        meanwhile: Other values that had come since what the decision knew.
        before: Bias of the dataset just before the value.
        after: And just after it.
        standard_deviation: Standard uncertainty of the value [unit of the campaign]; None where none is known.
        details: What came with it (see `agent.campaign.event_descriptions.Observation`).
    """

    status: CandidateStatus
    reason: str = ""
    attempts: tuple[AttemptDescription, ...] = ()
    value: float | None = None
    row: int | None = None
    meanwhile: int = 0
    before: BiasPoint | None = None
    after: BiasPoint | None = None
    standard_deviation: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChosenCandidate:
    """A chosen candidate, its score (None where the policy has none), and what became of it."""

    candidate: CandidateDescription
    score: float | None
    outcome: CandidateOutcome


@dataclass(frozen=True, slots=True)
class EffectAtDecision:
    """An effect as it was believed then.

    Attributes:
        name: Of the intervention.
        mean: What was expected [unit of the property].
        half_width: Of its 90 % interval [unit].
        expected_half_width: The same once all that was in flight and chosen is measured, as was expected then [unit].
    """

    name: str
    mean: float
    half_width: float
    expected_half_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectsAtDecision:
    """What was believed of effects then; half-widths are means over the effects [unit of the property].

    Attributes:
        effects: In an order that stays.
        mean_half_width: Of the values that were known.
        with_in_flight: With all that was in flight.
        expected: With all that was chosen, too.
        expected_with_runner_up: With the runner-up in place of the last choice; None without one.
        threshold: What the property should exceed [unit]; None where nothing was sought.
    """

    effects: tuple[EffectAtDecision, ...]
    mean_half_width: float
    with_in_flight: float
    expected: float
    expected_with_runner_up: float | None
    threshold: float | None


class Verdict(StrEnum):
    """What came of asking again."""

    SAME = "the same decision comes out today"
    DIFFERS = "another decision comes out today"
    NOT_ASKED = "it was not asked again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redecision:
    """The same question, put to the policy of today.

    Attributes:
        verdict: What came of it.
        why: What differs, or why it could not be asked; empty where nothing is to be said.
        notes: What else a person should know: other versions, another score.
        candidate_ids: What is chosen today.
        scores: Their scores.
        runner_up: The best that is not chosen today.
        runner_up_score: Its score.
    """

    verdict: Verdict
    why: str = ""
    notes: tuple[str, ...] = ()
    candidate_ids: tuple[str, ...] = ()
    scores: tuple[float | None, ...] = ()
    runner_up: str | None = None
    runner_up_score: float | None = None


@dataclass(frozen=True, slots=True)
class SupplyAtDecision:
    """What was left of a stock, or of the money, before a decision [its unit]."""

    name: str
    left: float
    available: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAtDecision:
    """What the decision could look at.

    Attributes:
        phase: Of the campaign.
        requested: Candidates requested before.
        spent: Of these, the ones with an outcome.
        known: Values that were known.
        known_unasked: Of these, the ones that no request brought: the start set, and manually.
        bias: Of what was known.
        families: Sorted by name.
        in_flight: Requests that were taken for pending, oldest first.
        barred: Why candidates might not be asked for, with how many each reason kept out; nothing where the pool cannot
            be had.
        supplies: What was left of each stock, and of the money.
    """

    phase: str
    requested: int
    spent: int
    known: int
    known_unasked: int
    bias: BiasPoint
    families: tuple[FamilyAtDecision, ...]
    in_flight: tuple[InFlight, ...]
    barred: Mapping[str, int] = field(default_factory=dict)
    supplies: tuple[SupplyAtDecision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One decision: the state then, the choice, what happened, and what comes out today.

    Attributes:
        campaign: Name of the campaign.
        property_name: The property whose entropy is balanced.
        unit: Its unit.
        decision: Number of the decision, from 0.
        decisions: How many the journal holds.
        row: Of the journal, at which it stands.
        based_on: The last row that it knew.
        budget: Candidates that may be requested.
        then: What it could look at.
        policy: Name of the policy.
        policy_options: Its options.
        reason: The policy's own words.
        seed: Of the decision.
        fingerprint: Of the policy, its options and versions.
        target_family: The family that the policy meant to enrich, if it has one.
        chosen: What it chose, best first.
        runner_up: The best that it did not choose, if it said so.
        runner_up_score: Its score.
        margin: By how much it lost to the last choice; None without two scores.
        details: Additional figures of the policy, of its first choice.
        prediction: Of the value of the first choice.
        effects: What was believed of effects; None where the policy is after none, or it cannot be computed here.
        deviations: Observed minus predicted, in predicted deviations; None without either.
        shown_family: Whose values the figure shows: the target, else that of the first choice; None: of all.
        shown_values: Its known values, ascending [unit].
        whole_pool: Whether the pool was there; without it formulas, structures and what was available are not known.
        again: The question put again.
    """

    campaign: str
    property_name: str
    unit: str
    decision: int
    decisions: int
    row: int
    based_on: int
    budget: int
    then: StateAtDecision
    policy: str
    policy_options: Mapping[str, Any]
    reason: str
    seed: int
    fingerprint: str
    target_family: str | None
    chosen: tuple[ChosenCandidate, ...]
    runner_up: CandidateDescription | None
    runner_up_score: float | None
    margin: float | None
    details: tuple[Detail, ...]
    prediction: Prediction
    effects: EffectsAtDecision | None
    deviations: float | None
    shown_family: str | None
    shown_values: tuple[float, ...]
    whole_pool: bool
    again: Redecision

    @property
    def first(self) -> ChosenCandidate:
        """The first choice, of which the details speak."""
        return self.chosen[0]
