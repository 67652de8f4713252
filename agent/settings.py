"""What the agent is told: the campaign's plan, and how patient it is with the lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import declared_metrics, grows_pool, uses_fidelities
from agent.campaign.context import pool_arrays
from agent.campaign.fidelity_rules import fidelity_problem, require_measurable
from agent.campaign.limits.settings import LimitedSettings
from agent.campaign.plan import AdditionalProperty, CampaignPlan, CampaignPlanSettings, Resume, parts_with
from agent.entropy.measure import SMALLEST_RESOLUTION, default_resolution, default_scale
from agent.pool.candidates import Pool
from protocols.settings.code_settings import CodeSettings
from protocols.settings.plug_ins import POLICIES, place_of_plug_in, plug_in_names
from protocols.settings.suggestions import require_name
from protocols.settings.user_code import EXPECTED, is_user_code
from protocols.storage.disk_floor import FLOOR_MB
from protocols.wire.limits import MAX_ABS_VALUE, MAX_QUANTITIES, USUAL_ABS_VALUE
from protocols.wire.messages import Identifier, Name


class AdditionalPropertySettings(BaseModel):
    """A property that is balanced beside the first one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    unit: Annotated[str, Field(max_length=64)]
    """Its unit."""
    valid_range: tuple[float, float] = (-USUAL_ABS_VALUE, USUAL_ABS_VALUE)
    """Smallest and largest believable value [unit]."""
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Its share beside the weights of the others."""
    resolution: Annotated[float, Field(ge=SMALLEST_RESOLUTION, le=MAX_ABS_VALUE)] | None = None
    """Smallest difference that means anything [unit]; by default as for the first property."""

    def measured_on(self, name: str, start_values: Sequence[float]) -> AdditionalProperty:
        """Return it as the plan has it, standardised by the values of the start set."""
        values = np.array(start_values)
        resolution = default_resolution(values) if self.resolution is None else self.resolution
        return AdditionalProperty(name, self.unit, self.valid_range, self.weight, default_scale(values), resolution)


class CampaignSettings(CampaignPlanSettings, CodeSettings, LimitedSettings):
    """Settings of a campaign: those that its journal keeps, and how patient the agent is with the lab."""

    property: Name
    """The property whose entropy is balanced."""
    additional_properties: Annotated[dict[Name, AdditionalPropertySettings], Field(max_length=MAX_QUANTITIES - 1)] = (
        Field(default_factory=dict)
    )
    """Additional properties to balance: the entropy of a family is then the weighted mean over all of them."""
    request_timeout_s: Annotated[float, Field(gt=0, le=30 * 86_400)] = 120.0
    """How long a request may go without an answer [s]."""
    evaluation_deadline_s: Annotated[float, Field(gt=0, le=30 * 86_400)] = 60.0
    """How long a simulator may evaluate before it stops and says so [s]."""
    disk_floor_mb: Annotated[float, Field(ge=0, le=1e9)] = FLOOR_MB
    """Free space under the run folder below which the agent waits, and takes and asks nothing [MB]; at most an eighth
    of the disk, 0: it never waits."""
    database_timeout_s: Annotated[float, Field(ge=0, le=7 * 86_400)] = 120.0
    """How long a database server that is away is waited for, at the start and later [s]."""
    send_features: bool = False
    """Whether requests carry the features that the policy knows a candidate by, for a lab that can use them. A request
    that would become too long goes without."""
    recipients: tuple[Identifier, ...] = ()
    """Simulators that requests are addressed to: each to whoever is expected to be done first, by what they announce,
    and in turn where they announce nothing; empty: the scenario's own. "any": whichever the broker deals it to."""
    lab_weight: Annotated[float, Field(ge=1e-6, le=1e6)] = 1.0
    """Share of the campaign in instruments that several campaigns ask, beside the weights of the others."""

    @field_validator("valid_range")
    @classmethod
    def _in_order(cls, valid_range: tuple[float, float]) -> tuple[float, float]:
        if not valid_range[0] < valid_range[1]:  # told of the key alone: a table may give it, and is told instead
            message = f"valid_range = {list(valid_range)} is empty; expected [smallest, largest]"
            raise ValueError(message)
        return valid_range

    @field_validator("policy")
    @classmethod
    def _known_policy(cls, policy: str) -> str:
        if is_user_code(policy) or policy in BUILT_IN:
            return policy
        if place := place_of_plug_in(POLICIES, policy):
            return place
        require_name(policy, (*BUILT_IN, *plug_in_names(POLICIES)), EXPECTED)
        return policy

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.batch > self.parallel:
            message = f"batch = {self.batch} is more than parallel = {self.parallel}"
            raise ValueError(message)
        if self.property in self.additional_properties:
            message = f"{self.property!r} is the property already; leave it out of additional_properties"
            raise ValueError(message)
        if problem := fidelity_problem(self):
            raise ValueError(problem)
        return self

    def decided_by(self, policy: str, options: Mapping[str, Any]) -> Self:
        """Return the same campaign with another policy, which keeps the metrics of this one, to be held against it.

        Args:
            policy: Its name.
            options: Its options.
        """
        other = self.model_copy(update={"policy": policy, "policy_options": dict(options)})
        return other.keeping_metrics_of(self)

    def keeping_metrics_of(self, other: CampaignSettings) -> Self:
        """Return this campaign with the metrics of another one, unless it keeps somebody's already.

        Args:
            other: What it is to be held against.
        """
        if self.metrics_of or (self.policy == other.policy and not other.metrics_of):
            return self
        name, options = other.metered_by
        return self.model_copy(update={"metrics_of": name, "metrics_options": dict(options)})

    def left_open(self) -> frozenset[str]:
        """Return the parts of the plan that nobody asked for: a resumed campaign keeps those of its journal."""
        may_stay_open = parts_with(type(self), Resume.KEEP_UNLESS_SET)
        asked_for = {name for name in self.model_fields_set if getattr(self, name) is not None}
        return may_stay_open - asked_for

    def plan(
        self,
        *,
        campaign: str,
        uid: str,
        fingerprint: str,
        recipients: tuple[str, ...],
        pool: Pool,
        start_values: Sequence[float] = (),
        start_additional: Sequence[Sequence[float]] = (),
    ) -> CampaignPlan:
        """Return the plan that a journal begins with; what is left open becomes that of the start values.

        Args:
            campaign: Its name.
            uid: Random part of every attempt id.
            fingerprint: Of what decides.
            recipients: Simulators that requests are addressed to.
            pool: The candidates.
            start_values: Of the property.
            start_additional: Of the additional ones, a row for each of `start_values`.

        Raises:
            SettingsError: When a method cannot be told from the candidates' ids, or there are too many measurements.
        """
        additional = tuple(
            each.measured_on(name, [row[place] for row in start_additional])
            for place, (name, each) in enumerate(self.additional_properties.items())
        )
        resolution = default_resolution(np.array(start_values)) if self.resolution is None else self.resolution
        measured = {
            "property_name": self.property,
            "resolution": resolution,
            "additional_properties": additional,
            "scale": default_scale(np.array(start_values)) if additional else 1.0,
        }
        given = {
            "campaign": campaign,
            "uid": uid,
            "fingerprint": fingerprint,
            "recipients": recipients,
            "pool_digest": pool.digest,
            "limits": self.limits.asking,
        }
        kept = {name: getattr(self, name) for name in CampaignPlanSettings.model_fields}
        plan = CampaignPlan(**(kept | measured | given))
        declared = {
            "metrics": declared_metrics(*plan.metered_by, self.unit, pool_arrays(pool), self.code),
            "grows_pool": grows_pool(self.policy, self.code),
            "uses_fidelities": bool(self.fidelities) and uses_fidelities(self.policy, self.code),
        }
        made = plan.model_copy(update=declared)
        require_measurable(made, pool)
        return made
