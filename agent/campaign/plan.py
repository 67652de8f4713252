"""What a campaign is started with: the settings that its journal keeps, and what the start set makes of them.

A setting of a campaign is written once. In `CampaignPlanSettings` it is a setting of `[campaign]`, a part of every
plan and what a resumed campaign must agree in, unless a `Resume` beside it says otherwise. Settings that the
journal does not keep stand in `agent.settings.CampaignSettings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from agent.campaign.people.approval import NO_APPROVAL, ApprovalSettings
from agent.campaign.stop_settings import StopSettings
from agent.entropy.measure import (
    M_SPACING,
    PUBLISHED,
    RESOLUTION_WITHOUT_VALUES,
    SMALLEST_RESOLUTION,
    EntropyMeasure,
    EstimatorName,
)
from agent.entropy.target_properties import TargetProperty
from agent.metrics import Metric
from agent.pool.fidelities import MAX_REPETITIONS
from agent.pool.limits.settings import NO_LIMITS, AskingLimits
from agent.pool.measurements import Measurement, Methods
from protocols.wire.limits import MAX_ABS_VALUE, MAX_FIDELITIES, USUAL_ABS_VALUE
from protocols.wire.messages import Identifier, Name

MAX_PARALLEL: Final = 256
"""Most candidates in flight: bounds what is awaited, and what a reconnect sends again."""


MAX_BUDGET: Final = 10_000_000
"""Largest budget [candidate or unit of cost]: beyond any lab, and a journal of as many requests is read in minutes."""


class Ordering(StrEnum):
    """Which results a decision may use when several requests are in flight."""

    IN_ORDER = "in_order"
    """Decision d uses the results of the decisions up to d - lag and takes the later ones for pending, even if some
    have answered. The decisions then do not depend on who answers first, so a killed and resumed campaign decides as
    an undisturbed one; the price is that a slow request holds back the decision `lag` after it."""

    AS_COMPLETED = "as_completed"
    """A decision uses every result that has arrived: fastest, and it depends on the order of arrival."""


class Resume(Enum):
    """What a resumed campaign does with a part of its plan; without one beside it, the settings must agree."""

    KEEP_JOURNAL = "the journal's part holds, whatever the settings say"
    KEEP_UNLESS_SET = "the journal's part holds, unless the settings name another one"
    MAY_GROW = "a larger one takes the place of the journal's, a smaller one than it began with is refused"


@dataclass(frozen=True, slots=True)
class AdditionalProperty:
    """A property that is balanced beside the first one.

    Attributes:
        name: As results name it, in `unit`.
        valid_range: Smallest and largest believable value [unit].
        weight: Its share, beside the weights of the others.
        scale: Deviation of the start set's values, by which it is standardised [unit].
        resolution: Smallest difference of values that means anything [unit].
    """

    name: str
    unit: str
    valid_range: tuple[float, float]
    weight: float
    scale: float
    resolution: float


class FidelitySettings(BaseModel):
    """A method of the lab that a campaign may ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    cost: Annotated[int, Field(ge=1, le=MAX_BUDGET)]
    """What one measurement takes of the budget."""
    valid_range: tuple[float, float] | None = None
    """Smallest and largest believable value of the property by this method [unit]; by default those of the property."""


class CampaignPlanSettings(BaseModel):
    """The settings of a campaign that its journal keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    unit: Annotated[str, Field(max_length=64)]
    """Unit of the property; a result in another unit is refused."""
    valid_range: tuple[float, float] = (-USUAL_ABS_VALUE, USUAL_ABS_VALUE)
    """Smallest and largest believable value of the property [unit]."""
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Share of the property beside the weights of the additional ones."""
    budget: Annotated[int, Field(ge=1, le=MAX_BUDGET), Resume.MAY_GROW]
    """Candidates that may be requested; with `[campaign.fidelities]` what their measurements may cost in all. A
    campaign that is resumed with a larger one goes on, also when it was finished; an operator may set it while it
    runs."""
    policy: str = "gap_gain"
    """`gap_gain`, `etal`, `etal_reference`, `random`, `uncertainty`, `round_robin`, `coverage`, `joint_entropy`,
    `expected_improvement`, `probability_of_exceeding`; for effects of interventions `causal`, beside it `target_mean`,
    `d_optimal` and `causal_reference`; `fidelity_gain`, which chooses among several methods; `molecule_edits`, which
    makes candidates of its own; or a class of yours:
    `module:Class` or `path/to/file.py:Class`, in the folder of the file that names it, or installed."""
    policy_options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the policy."""
    metrics_of: Annotated[str, Resume.KEEP_JOURNAL] = ""
    """Policy whose metrics are kept beside those of the bias; empty: the campaign's own. With another one a campaign
    can be held against one that it decides."""
    metrics_options: Annotated[dict[str, Any], Resume.KEEP_JOURNAL] = Field(default_factory=dict)
    """Keyword arguments of that policy."""
    estimator: Annotated[EstimatorName, Resume.KEEP_UNLESS_SET] = M_SPACING
    """Which entropy is balanced: m_spacing (any number of values, ties), kozachenko_leonenko, gaussian_kernel, or
    published (SciPy's choice, from five values on)."""
    resolution: Annotated[
        Annotated[float, Field(ge=SMALLEST_RESOLUTION, le=MAX_ABS_VALUE)] | None, Resume.KEEP_UNLESS_SET
    ] = None
    """Smallest difference of values that means anything [unit]; by default a thousandth of the standard deviation of
    the start set."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of the campaign."""
    parallel: Annotated[int, Field(ge=1, le=MAX_PARALLEL)] = 1
    """Candidates in flight at once."""
    batch: Annotated[int, Field(ge=1, le=MAX_PARALLEL)] = 1
    """Candidates chosen by one decision."""
    ordering: Ordering = Ordering.IN_ORDER
    """`in_order`: decisions do not depend on who answers first; `as_completed`: fastest."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Attempts before a candidate is abandoned."""
    give_up_after: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Candidates abandoned in a row after which the campaign pauses itself: the lab is broken, not they."""
    fidelity: Name | None = None
    """Which of the lab's methods every request asks for (of a lab of molecules: `gfn2` or `b3lyp`); by default the
    lab's usual one. With `[campaign.fidelities]` the target among them: its values alone make entropy and bias."""
    fidelities: Annotated[dict[Name, FidelitySettings], Field(max_length=MAX_FIDELITIES)] = Field(default_factory=dict)
    """The methods that a policy may choose from, by name, each with its cost; a policy that chooses candidates only
    asks for the target. Without any, every request costs 1."""
    replicates: Annotated[int, Field(ge=1, le=MAX_REPETITIONS)] = 1
    """How often one candidate may be measured by one method of `[campaign.fidelities]`; repetitions by the target make
    one value."""
    require_signatures: bool = False
    """Whether only what is signed is heard: a result by its instrument, a control by its operator; that takes the keys
    which [signing] names."""
    stop: StopSettings = StopSettings()
    """When it has gained enough, or gains nothing more."""

    @property
    def target_cost(self) -> int:
        """What a candidate takes of the budget, measured by the target method."""
        return self.fidelities[self.fidelity].cost if self.fidelity in self.fidelities else 1

    @property
    def budget_unit(self) -> str:
        """What the budget counts, in the plural."""
        return "units of cost" if self.fidelities else "candidates"

    @property
    def metered_by(self) -> tuple[str, dict[str, Any]]:
        """The policy that declares the metrics, and its options."""
        return (self.metrics_of, self.metrics_options) if self.metrics_of else (self.policy, self.policy_options)


class CampaignPlan(CampaignPlanSettings):
    """What a campaign was started with; nothing of it changes afterwards. The budget of now is the campaign's."""

    # What a later version adds is not known here, and a journal of an earlier one lacks what this one adds.
    model_config = ConfigDict(extra="ignore")

    campaign: Identifier
    """Its name, a topic level."""
    uid: Annotated[str, Resume.KEEP_JOURNAL]
    """Random part of every attempt id: a new campaign of an old name never meets the old one's results."""
    property_name: str
    """The property whose entropy is balanced."""
    fingerprint: Annotated[str, Resume.KEEP_JOURNAL]
    """Digest of what, besides its context, a decision may depend on: the policy, its options, versions."""
    recipients: Annotated[tuple[str, ...], Resume.KEEP_JOURNAL]
    """Simulators that requests are addressed to, in turn."""
    pool_digest: str
    """Digest of the pool that decisions refer to."""
    estimator: Annotated[EstimatorName, Resume.KEEP_UNLESS_SET] = PUBLISHED
    """Which entropy is balanced; journals of old do not say it, and meant the published one."""
    resolution: Annotated[float, Resume.KEEP_UNLESS_SET] = RESOLUTION_WITHOUT_VALUES
    """Smallest difference of values that means anything [unit]."""
    additional_properties: tuple[AdditionalProperty, ...] = ()
    """Properties that are balanced beside it."""
    metrics: tuple[Metric, ...] = ()
    """The metrics that are kept beside those of the bias, as the policy declares them."""
    approval: ApprovalSettings = NO_APPROVAL
    """Which decisions wait for an operator's approval."""
    limits: Annotated[AskingLimits, Resume.KEEP_JOURNAL] = NO_LIMITS
    """What may be asked for when it began; that of now is the campaign's."""
    grows_pool: bool = False
    """Whether the policy may choose candidates that it makes itself, which then join the pool."""
    uses_fidelities: bool = False
    """Whether the policy chooses among measurements by all methods; else every request asks for the target."""
    scale: Annotated[float, Resume.KEEP_JOURNAL] = 1.0
    """Deviation of the start set's values, by which it is standardised where there are additional ones [unit]."""

    @property
    def targets(self) -> tuple[TargetProperty, ...]:
        """The properties that are balanced."""
        if not self.additional_properties:
            return (TargetProperty(self.property_name, self.measure),)
        total = self.weight + sum(each.weight for each in self.additional_properties)
        others = (
            TargetProperty(each.name, EntropyMeasure(self.estimator, each.resolution), each.scale, each.weight / total)
            for each in self.additional_properties
        )
        return (TargetProperty(self.property_name, self.measure, self.scale, self.weight / total), *others)

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties that are balanced."""
        return (self.property_name, *(each.name for each in self.additional_properties))

    @property
    def label(self) -> str:
        """The properties that are balanced, as people read them."""
        return " and ".join(self.property_names)

    @property
    def measure(self) -> EntropyMeasure:
        """Which entropy the campaign means."""
        return EntropyMeasure(self.estimator, self.resolution)

    @property
    def methods(self) -> Methods | None:
        """The methods that the policy chooses from; None where it chooses candidates only."""
        if not self.fidelities or not self.uses_fidelities or self.fidelity is None:
            return None
        names = (*(each for each in self.fidelities if each != self.fidelity), self.fidelity)
        return Methods(names, tuple(self.fidelities[each].cost for each in names), self.replicates)

    def measurement_of(self, row_id: str) -> Measurement:
        """Return what the row of an id measures: in most campaigns the candidate of that id."""
        methods = self.methods
        return Measurement(row_id, self.fidelity) if methods is None else methods.measurement_of(row_id)

    def row_asked_for(self, candidate_id: str, fidelity: str | None, replicate: int) -> str:
        """Return the id of the row that a request asks for, by what it says: in most campaigns that of its candidate.

        A value that was taken back is asked for by the number of a repetition that has no row of its own.
        """
        methods = self.methods
        if methods is None:
            return candidate_id
        return methods.id_of(Measurement(candidate_id, fidelity, replicate % methods.repetitions))

    def is_of_target(self, row_id: str) -> bool:
        """Tell whether the row of an id measures by the method whose values make the dataset."""
        return self.measurement_of(row_id).fidelity == self.fidelity

    def cost_of(self, row_id: str) -> int:
        """Return what a request of the row of an id takes of the budget."""
        methods = self.methods
        return self.target_cost if methods is None else methods.cost_of(row_id)

    @property
    def least_cost(self) -> int:
        """What the cheapest measurement takes that the policy may choose."""
        methods = self.methods
        return self.target_cost if methods is None else min(methods.costs)

    @property
    def lag(self) -> int:
        """How many decisions may be open at once."""
        return max(1, self.parallel // self.batch)


def parts_with(model: type[CampaignPlanSettings], resume: Resume) -> frozenset[str]:
    """Return the names of what a resumed campaign treats in one way."""
    return frozenset(name for name, part in model.model_fields.items() if resume in part.metadata)
