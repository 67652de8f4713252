"""What the agent is told: the campaign's terms, and how patient it is with the lab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.acquisition.measure import M_SPACING, SMALLEST_RESOLUTION, EstimatorName, default_resolution
from agent.campaign.events import CampaignPlan, Ordering
from protocols.limits import MAX_ABS_VALUE
from protocols.messages import Identifier, Name

MAX_PARALLEL = 256
"""Most candidates in flight: bounds what is awaited, and what a reconnect sends again."""


class CampaignSettings(BaseModel):
    """Settings of a campaign."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    property: Name = Field(description="the property whose entropy is balanced")
    unit: Annotated[str, Field(max_length=64)] = Field(description="its unit; a result in another unit is refused")
    valid_range: tuple[float, float] = Field(
        (-MAX_ABS_VALUE, MAX_ABS_VALUE), description="smallest and largest believable value [unit]"
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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.batch > self.parallel:
            message = f"batch = {self.batch} is more than parallel = {self.parallel}"
            raise ValueError(message)
        if not self.valid_range[0] < self.valid_range[1]:
            message = f"valid_range = {list(self.valid_range)} is empty; expected [smallest, largest]"
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
    ) -> CampaignPlan:
        """Return the plan that a journal begins with; the resolution left open becomes that of the start values."""
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
        )
