"""What the agent is told: the campaign's terms, and how patient it is with the lab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.acquisition.registry import BUILT_IN
from agent.campaign.plan import CampaignPlan, FurtherProperty, Ordering
from agent.entropy.measure import M_SPACING, SMALLEST_RESOLUTION, EstimatorName, default_resolution, default_scale
from protocols.settings.suggestions import require_name
from protocols.wire.limits import MAX_ABS_VALUE, MAX_QUANTITIES
from protocols.wire.messages import Identifier, Name

MAX_PARALLEL = 256
"""Most candidates in flight: bounds what is awaited, and what a reconnect sends again."""


class FurtherSettings(BaseModel):
    """A property that is balanced beside the first one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: Annotated[str, Field(max_length=64)] = Field(description="its unit")
    valid_range: tuple[float, float] = Field(
        (-MAX_ABS_VALUE, MAX_ABS_VALUE), description="smallest and largest believable value [unit]"
    )
    weight: Annotated[float, Field(gt=0, le=1e6)] = Field(1.0, description="its share beside the weights of the others")
    resolution: Annotated[float, Field(ge=SMALLEST_RESOLUTION, le=MAX_ABS_VALUE)] | None = Field(
        None, description="smallest difference that means anything [unit]; by default as for the first property"
    )

    def measured_on(self, name: str, start_values: Sequence[float]) -> FurtherProperty:
        """Return it as the plan has it, standardised by the values of the start set."""
        values = np.array(start_values)
        resolution = default_resolution(values) if self.resolution is None else self.resolution
        return FurtherProperty(name, self.unit, self.valid_range, self.weight, default_scale(values), resolution)


class CampaignSettings(BaseModel):
    """Settings of a campaign."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    property: Name = Field(description="the property whose entropy is balanced")
    unit: Annotated[str, Field(max_length=64)] = Field(description="its unit; a result in another unit is refused")
    valid_range: tuple[float, float] = Field(
        (-MAX_ABS_VALUE, MAX_ABS_VALUE), description="smallest and largest believable value [unit]"
    )
    further: Annotated[dict[Name, FurtherSettings], Field(max_length=MAX_QUANTITIES - 1)] = Field(
        default_factory=dict,
        description="further properties to balance: the entropy of a family is then the weighted mean over all of them",
    )
    weight: Annotated[float, Field(gt=0, le=1e6)] = Field(
        1.0, description="share of `property` beside the weights of the further ones"
    )
    budget: Annotated[int, Field(ge=1, le=10_000_000)] = Field(description="candidates that may be requested")
    policy: str = Field(
        "etal", description='etal, etal_reference, random, uncertainty, round_robin, or "package.module:Class"'
    )
    policy_options: dict[str, Any] = Field(default_factory=dict, description="keyword arguments of the policy")
    estimator: EstimatorName = Field(
        M_SPACING,
        description="which entropy is balanced: m_spacing (any number of values, ties), kozachenko_leonenko, "
        "gaussian_kernel, or published (SciPy's choice, from five values on)",
    )
    resolution: Annotated[float, Field(ge=SMALLEST_RESOLUTION, le=MAX_ABS_VALUE)] | None = Field(
        None,
        description="smallest difference of values that means anything [unit]; by default a thousandth of the standard "
        "deviation of the start set",
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(0, description="seed of the campaign")
    parallel: Annotated[int, Field(ge=1, le=MAX_PARALLEL)] = Field(1, description="candidates in flight at once")
    batch: Annotated[int, Field(ge=1, le=MAX_PARALLEL)] = Field(1, description="candidates chosen by one decision")
    ordering: Ordering = Field(
        Ordering.IN_ORDER,
        description="in_order: decisions do not depend on who answers first; as_completed: fastest",
    )
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(3, description="attempts before a candidate is set aside")
    give_up_after: Annotated[int, Field(ge=1, le=100_000)] = Field(
        10, description="candidates set aside in a row after which the campaign pauses itself"
    )
    request_timeout_s: Annotated[float, Field(gt=0, le=30 * 86_400)] = Field(
        120.0, description="how long a request may go without an answer [s]"
    )
    evaluation_deadline_s: Annotated[float, Field(gt=0, le=30 * 86_400)] = Field(
        60.0, description="how long a simulator may evaluate before it stops and says so [s]"
    )
    recipients: tuple[Identifier, ...] = Field(
        (), description='simulators that requests are addressed to, in turn; empty: the scenario\'s own; "any": whoever'
    )

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
        if ":" not in policy:
            require_name(policy, BUILT_IN, "package.module:Class of your own")
        return policy

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.batch > self.parallel:
            message = f"batch = {self.batch} is more than parallel = {self.parallel}"
            raise ValueError(message)
        if self.property in self.further:
            message = f"{self.property!r} is the property already; leave it out of further"
            raise ValueError(message)
        return self

    def left_open(self) -> frozenset[str]:
        """Return the parts of the plan that nobody asked for: a campaign taken up keeps those of its journal."""
        estimator = {"estimator"} - self.model_fields_set
        return frozenset(estimator | ({"resolution"} if self.resolution is None else set()))

    def plan(
        self,
        *,
        campaign: str,
        uid: str,
        fingerprint: str,
        recipients: tuple[str, ...],
        pool_digest: str,
        start_values: Sequence[float] = (),
        start_further: Sequence[Sequence[float]] = (),
    ) -> CampaignPlan:
        """Return the plan that a journal begins with; what is left open becomes that of the start values.

        Args:
            campaign: Its name.
            uid: Random part of every attempt id.
            fingerprint: Of what decides.
            recipients: Simulators that requests are addressed to.
            pool_digest: Of the pool.
            start_values: Of the property.
            start_further: Of the further ones, a row for each of `start_values`.
        """
        further = tuple(
            each.measured_on(name, [row[place] for row in start_further])
            for place, (name, each) in enumerate(self.further.items())
        )
        resolution = default_resolution(np.array(start_values)) if self.resolution is None else self.resolution
        return CampaignPlan(
            campaign=campaign,
            uid=uid,
            property_name=self.property,
            unit=self.unit,
            valid_range=self.valid_range,
            budget=self.budget,
            parallel=self.parallel,
            batch=self.batch,
            ordering=self.ordering,
            max_attempts=self.max_attempts,
            give_up_after=self.give_up_after,
            seed=self.seed,
            policy=self.policy,
            policy_options=self.policy_options,
            fingerprint=fingerprint,
            recipients=recipients,
            pool_digest=pool_digest,
            estimator=self.estimator,
            resolution=resolution,
            further=further,
            weight=self.weight,
            scale=default_scale(np.array(start_values)) if further else 1.0,
        )
