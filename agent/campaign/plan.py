"""What a campaign is started with; nothing of it changes afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.entropy.measure import PUBLISHED, RESOLUTION_WITHOUT_VALUES, EntropyMeasure, EstimatorName
from agent.entropy.target_properties import Aspect
from protocols.wire.messages import Identifier


class Ordering(StrEnum):
    """Which results a decision may use when several requests are in flight."""

    IN_ORDER = "in_order"
    """Decision d uses the results of the decisions up to d - lag and takes the later ones for pending, even if some
    have answered. The decisions then do not depend on who answers first, so a killed and resumed campaign decides as
    an undisturbed one; the price is that a slow request holds back the decision `lag` after it."""

    AS_COMPLETED = "as_completed"
    """A decision uses every result that has arrived: fastest, and it depends on the order of arrival."""


@dataclass(frozen=True, slots=True)
class FurtherProperty:
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


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """What a campaign was started with; nothing of it changes afterwards.

    Attributes:
        campaign: Its name, a topic level.
        uid: Random part of every attempt id: a new campaign of an old name never meets the old one's results.
        property_name: The property whose entropy is balanced, in `unit`.
        valid_range: Smallest and largest believable value [unit].
        budget: Candidates that may be requested.
        parallel: Most candidates in flight.
        batch: Candidates chosen by one decision.
        max_attempts: Attempts of one candidate before it is set aside.
        give_up_after: Candidates set aside in a row after which the campaign pauses: the lab is broken, not they.
        seed: Seed of the campaign.
        policy: Name or `module:Class`, with its options and fingerprint.
        recipients: Simulators that requests are addressed to, in turn.
        pool_digest: Digest of the pool that decisions refer to.
        estimator: Which entropy is balanced, one of `agent.entropy.measure.ESTIMATORS`. Journals of old do not say
            it: they meant the published one.
        resolution: Smallest difference of values that means anything to it [unit].
        further: Properties that are balanced beside it.
        weight: Its own share, where there are further ones.
        scale: Deviation of the start set's values, by which it is standardised where there are further ones [unit].
    """

    campaign: Identifier
    uid: str
    property_name: str
    unit: str
    valid_range: tuple[float, float]
    budget: int
    parallel: int
    batch: int
    ordering: Ordering
    max_attempts: int
    give_up_after: int
    seed: int
    policy: str
    policy_options: Mapping[str, Any]
    fingerprint: str
    recipients: tuple[str, ...]
    pool_digest: str
    estimator: EstimatorName = PUBLISHED
    resolution: float = RESOLUTION_WITHOUT_VALUES
    further: tuple[FurtherProperty, ...] = ()
    weight: float = 1.0
    scale: float = 1.0

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """The properties that are balanced."""
        if not self.further:
            return (Aspect(self.property_name, self.measure),)
        total = self.weight + sum(each.weight for each in self.further)
        others = (
            Aspect(each.name, EntropyMeasure(self.estimator, each.resolution), each.scale, each.weight / total)
            for each in self.further
        )
        return (Aspect(self.property_name, self.measure, self.scale, self.weight / total), *others)

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties that are balanced."""
        return (self.property_name, *(each.name for each in self.further))

    @property
    def label(self) -> str:
        """The properties that are balanced, as people read them."""
        return " and ".join(self.property_names)

    @property
    def measure(self) -> EntropyMeasure:
        """Which entropy the campaign means."""
        return EntropyMeasure(self.estimator, self.resolution)

    @property
    def lag(self) -> int:
        """How many decisions may be open at once."""
        return max(1, self.parallel // self.batch)
