"""Where the lab chose, what our policy would have chosen there, and how far the two agree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from protocols.errors import CampaignHalted, StoreError


class Agreement(StrEnum):
    """How far a choice of ours is that of the lab."""

    CANDIDATE = "the same candidate"
    FAMILY = "another of the same family"
    NONE = "another family"


@dataclass(frozen=True, slots=True)
class LabChoice:
    """Where the lab chose.

    Attributes:
        number: Of the decision, from 0, as they were heard.
        lab_number: The lab's own number of it; None where no request was heard.
        chosen_at: When the lab said so, by its own clock; a label.
        candidate_ids: What it chose.
        observation: Results accepted by then.
        starved_family: The family to enrich first, by then.
        metrics: Bias of what was known then, by metric.
        context: What the policy may look at.
    """

    number: int
    lab_number: int | None
    chosen_at: str
    candidate_ids: tuple[str, ...]
    observation: int
    starved_family: str | None
    metrics: Mapping[str, float | None]
    context: AcquisitionContext


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionComparison:
    """A choice of the lab beside ours: a line of `shadow.jsonl`.

    Attributes:
        number: Of the decision, from 0.
        lab_number: The lab's own number of it.
        chosen_at: When the lab said so.
        observation: Results accepted by then.
        starved_family: The family to enrich first, by then.
        lab: What the lab chose.
        shadow: What our policy would have chosen, best first; nothing where it had nothing more to ask for.
        scores: Its scores of these.
        runner_up: Its best candidate that it did not choose.
        target_family: The family that it meant to enrich.
        reason: Why, in one sentence.
        seed: Of the decision.
        policy: Our policy.
        fingerprint: Of what decides.
        lab_names: What the lab's candidates are called in their table; nothing in lines of before 0.2.0.
        lab_families: Their families.
        shadow_names: The same of ours.
        shadow_families: The same of ours.
        metrics: Bias of what was known then, by metric.
    """

    number: int
    lab_number: int | None
    chosen_at: str
    observation: int
    starved_family: str | None
    lab: tuple[str, ...]
    shadow: tuple[str, ...]
    scores: tuple[float | None, ...]
    runner_up: str | None
    target_family: str | None
    reason: str
    seed: int
    policy: str
    fingerprint: str
    lab_names: tuple[str, ...] = ()
    lab_families: tuple[str, ...] = ()
    shadow_names: tuple[str, ...] = ()
    shadow_families: tuple[str, ...] = ()
    metrics: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def same(self) -> frozenset[str]:
        """Candidates that both chose here."""
        return frozenset(self.lab) & frozenset(self.shadow)

    def agreements(self, pool: Pool) -> Iterator[Agreement]:
        """Yield how far we agree with each choice of the lab; a choice of ours agrees with one of them."""
        return self.agreements_by(lambda candidate_id: pool.candidates[pool.index_of[candidate_id]].family)

    def agreements_by(self, family_of: Callable[[str], str]) -> Iterator[Agreement]:
        """Yield the same where families are known otherwise: `family_of` tells that of a candidate."""
        left = Counter(map(family_of, set(self.shadow) - self.same))
        for candidate_id in self.lab:
            family = family_of(candidate_id)
            if candidate_id in self.same:
                yield Agreement.CANDIDATE
            elif left[family]:
                left[family] -= 1
                yield Agreement.FAMILY
            else:
                yield Agreement.NONE


def families_of(candidate_ids: Iterable[str], pool: Pool) -> Counter[str]:
    """Return how many candidates there are of each family."""
    return Counter(pool.candidates[pool.index_of[candidate_id]].family for candidate_id in candidate_ids)


def compare_choice(choice: LabChoice, proposal: Proposal, plan: CampaignPlan, pool: Pool) -> DecisionComparison:
    """Put what our policy proposes beside a choice of the lab.

    Raises:
        CampaignHalted: When the policy broke its contract.
    """
    indices = [each.index for each in proposal.choices]
    available = set(choice.context.available.tolist())
    if len(set(indices)) != len(indices) or len(indices) > len(choice.candidate_ids) or not available >= set(indices):
        raise CampaignHalted(
            f"Policy {plan.policy!r} proposed {indices} for decision {choice.number}",
            expected=f"up to {len(choice.candidate_ids)} distinct candidates that are available",
            action="fix the policy, then run again with --resume",
        )
    runner_up = proposal.runner_up
    theirs = [pool.candidates[pool.index_of[each]] for each in choice.candidate_ids]
    ours = [pool.candidates[index] for index in indices]
    return DecisionComparison(
        number=choice.number,
        lab_number=choice.lab_number,
        chosen_at=choice.chosen_at,
        observation=choice.observation,
        starved_family=choice.starved_family,
        lab=choice.candidate_ids,
        shadow=tuple(pool.candidate_ids[index] for index in indices),
        scores=tuple(each.score for each in proposal.choices),
        runner_up=None if runner_up is None else pool.candidate_ids[runner_up.index],
        target_family=proposal.target_family,
        reason=proposal.reason,
        seed=choice.context.seed,
        policy=plan.policy,
        fingerprint=plan.fingerprint,
        lab_names=tuple(each.source_id or each.candidate_id for each in theirs),
        lab_families=tuple(each.family for each in theirs),
        shadow_names=tuple(each.source_id or each.candidate_id for each in ours),
        shadow_families=tuple(each.family for each in ours),
        metrics=choice.metrics,
    )


def to_line(one: DecisionComparison) -> str:
    """Return a comparison as a line of JSON, with the candidates that both chose."""
    content: dict[str, Any] = _ADAPTER.dump_python(one, mode="json")
    return json.dumps(content | {"same": sorted(one.same)})


def from_line(line: str) -> DecisionComparison:
    """Return the comparison of a line.

    Raises:
        StoreError: When it is none.
    """
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError as error:
        raise StoreError(
            f"A line of the comparisons is none of ours ({error.errors(include_url=False)[0]['msg']})",
            expected="lines as the shadow wrote them",
            action="delete shadow.jsonl and run again with --resume: it is made again from the recording",
        ) from None


_ADAPTER: TypeAdapter[DecisionComparison] = TypeAdapter(DecisionComparison)
