"""The terms of one seed: campaign, lab, policy and faults, all drawn from its generator."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, Policy, Proposal
from agent.acquisition.registry import declared_metrics, make_policy
from agent.campaign.context import pool_arrays
from agent.campaign.people.approval import NO_APPROVAL, ApprovalSettings
from agent.campaign.plan import CampaignPlan, FidelitySettings, Ordering
from agent.campaign.stop_settings import StopSettings
from agent.entropy.measure import ESTIMATORS
from agent.pool.candidates import Pool
from agent.pool.fidelities import Fidelities
from agent.pool.limits.settings import NO_LIMITS, AskingLimits, Supply
from agent.runtime.presence import MAX_DOUBLINGS, Presence
from protocols.signing.transport import Signing
from protocols.wire.topics import ANY_SIMULATOR
from tests.simulation.faults import ORDERS, FaultMix, draw_faults, draw_orders
from tests.simulation.lab import MOST_MISDEEDS, Lab
from tests.simulation.signatures import draw_signing
from tests.support.campaigns import UNIT, small_closure, small_plan, small_pool

NEVER_GIVES_UP: Final = 100
"""The most attempts that a plan allows, and more than any candidate needs: what the faults cost then changes no
decision, and the twin can tell."""

CONTENT_SHARE: Final = 0.2
"""Of the fussy policies, how many end their campaign themselves."""

STOP_SHARE: Final = 0.4
"""Of the campaigns, how many have stop rules."""

CAUSAL_SHARE: Final = 0.08
"""Of the campaigns, how many are after effects: their pool is a closure of designs, and metrics are declared."""

CAUSAL_GROUPS: Final = 4
"""Levels of the queried factor of such a closure."""

APPROVAL_SHARE: Final = 0.15
"""Of the campaigns, in how many decisions wait for approval."""

LIMITS_SHARE: Final = 0.125
"""Of the campaigns, how many limit what may be asked for."""

RICH_SHARE: Final = 0.3
"""Of the labs, how many say more than a value: how well it is known, replicates, conditions, remarks and raw files."""

FIDELITIES_SHARE: Final = 0.15
"""Of the campaigns, how many have two methods with costs, and perhaps repetitions."""

MOST_MORE: Final = 3
"""By how much an operator may raise the budget of a seed at most."""

ABSENT_SHARE: Final = 0.3
"""Of the campaigns of several instruments, in how many some of them never come, or leave for good."""

FORGERIES_WHERE_SIGNED: Final = 3
"""How many times as often as another event a forgery is drawn where everything is signed."""

SETTLING_S: Final = 180.0
"""What the end of the faults may cost once: noticing dead links (30 s), back-off (30 s), repetitions (60 s × 1.25)."""


class Fussy:
    """A policy whose every score is a hash of all that it was shown: the slightest difference changes the choice."""

    runs_inline: ClassVar[bool] = True

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose the candidates of the largest hashes."""
        seen = (context.observed, context.values, context.acquired, context.pending, context.available)
        asked = f"{context.decision}|{context.seed}|{count}" + (f"|{context.policy}" if context.policy else "")
        shown = b"|".join(array.tobytes() for array in seen) + asked.encode()
        scores = {int(at): _hashed(shown, int(at)) for at in context.available}
        best = sorted(scores, key=lambda at: (-scores[at], at))
        if context.pool.fidelities is not None:
            best = _payable(best, context.pool.fidelities, context.cost_left)
        choices = [Choice(at, scores[at]) for at in best[: count + 1]]
        runner_up = choices[count] if len(choices) > count else None
        return Proposal(tuple(choices[:count]), "the largest hash", runner_up)


def _payable(best: Sequence[int], known: Fidelities, left: int) -> list[int]:
    """Return the best ones that can be paid together."""
    chosen = []
    for at in best:
        left -= int(known.cost[at])
        if left < 0:
            break
        chosen.append(at)
    return chosen


class Content(Fussy):
    """As fussy, and after so many decisions it has nothing more to ask for."""

    def __init__(self, *, decisions: int) -> None:
        self._decisions = decisions

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose the candidates of the largest hashes, or end."""
        if context.decision >= self._decisions:
            return Proposal((), f"{self._decisions} decisions are enough")
        return super().propose(context, count)


def _hashed(shown: bytes, at: int) -> float:
    return int.from_bytes(hashlib.sha256(shown + str(at).encode()).digest()[:6], "big") / 2**48


@dataclass(frozen=True, slots=True)
class Terms:
    """What one seed plays."""

    seed: int
    pool: Pool
    plan: CampaignPlan
    start: tuple[str, ...]
    lab: Lab
    simulators: tuple[str, ...]
    concurrency: int
    faults: FaultMix
    request_timeout_s: float
    evaluation_deadline_s: float
    pondering_s: float
    """Mean time that the policy takes [s]; 0 is a policy that decides within the step."""
    lives: Mapping[str, int]
    """Simulators that never come, or leave for good -> how often they start."""
    signing: Signing
    """All keys; none where nothing is signed."""

    @property
    def policy(self) -> Policy:
        """Make the policy."""
        options = self.plan.policy_options
        match self.plan.policy:
            case "fussy":
                return Fussy()
            case "content":
                return Content(**options)
            case built_in:
                return make_policy(built_in, options)

    @property
    def has_twin(self) -> bool:
        """Whether the decisions are those of an undisturbed run, whatever happens."""
        untouched = not {"exclude", "add", *ORDERS} & set(self.faults.events)
        untouched = untouched and not self.plan.limits.supplies  # which every attempt takes from, also one that fails
        return self.plan.ordering is Ordering.IN_ORDER and self.plan.max_attempts == NEVER_GIVES_UP and untouched

    @property
    def patience_s(self) -> float:
        """Within how many seconds after the faults the campaign must end.

        Every candidate may need all its misbehaving attempts, one lost one and one good one, one after the other, each
        with its whole time; then what the end of the faults costs.
        """
        slowest = max(self.request_timeout_s, self.evaluation_deadline_s) + 2 * self.lab.mean_s + self.pondering_s * 8
        of_the_absent = self.longest_grace_s if self.lives else 0.0
        whole = SETTLING_S + of_the_absent
        most = self.plan.budget + (MOST_MORE if "set budget" in self.faults.events else 0)
        most *= 1 + ("requeue" in self.faults.events)
        return whole + most * (MOST_MISDEEDS + 2) * (slowest + 20 * self.faults.latency_s)

    @property
    def longest_grace_s(self) -> float:
        """How long an instrument that has come and gone may hold its attempts [s]."""
        return Presence(self.plan.recipients, self.request_timeout_s).grace_s * 2.0**MAX_DOUBLINGS


def draw_approval(seed: int) -> ApprovalSettings:
    """Draw which decisions of a seed wait for approval; from a generator of its own."""
    rng = random.Random(f"approval-{seed}")
    if rng.random() >= APPROVAL_SHARE:
        return NO_APPROVAL
    return ApprovalSettings(
        required=rng.choice(("always", "first_n")), first=rng.randint(1, 4), timeout_s=rng.choice((None, 1.0, 60.0))
    )


def draw_limits(seed: int, pool: Pool, budget: int) -> AskingLimits:
    """Draw what a seed may ask for: a range that leaves most candidates, or a stock; from a generator of its own."""
    rng = random.Random(f"limits-{seed}")
    if rng.random() >= LIMITS_SHARE:
        return NO_LIMITS
    name, column = pool.feature_names[0], pool.features[:, 0]
    if rng.random() < 0.5:
        low = float(np.quantile(column, rng.uniform(0.0, 0.4)))
        return AskingLimits(parameters={name: (low, float(column.max()) + 1.0)})
    tips = Supply(available=rng.uniform(1.0, 2.5 * budget), per_request=rng.choice((0.5, 1.0)))
    return AskingLimits(stock={"tips": tips})


def draw_stop(seed: int) -> StopSettings:
    """Draw the stop rules of a seed, from a generator of their own: what else a seed draws stays as it was."""
    rng = random.Random(f"stop-{seed}")
    if rng.random() >= STOP_SHARE:
        return StopSettings()
    return StopSettings(
        when_even=rng.choice(("off", "stop", "coverage")),
        when_no_gain=rng.choice(("stop", "coverage")),
        tolerance_nat=rng.choice((0.05, 0.5, 10.0)),
        gain_nat=rng.choice((0.01, 0.2, 5.0)),
        patience=rng.randint(1, 4),
    )


def draw_causal(seed: int, size: int, families: int) -> tuple[Pool, dict[str, Any]] | None:
    """Draw whether a seed is after effects: its pool and what its plan says of the policy; from a generator of its own.

    Args:
        seed: The seed.
        size: Candidates that its pool would have.
        families: Of the pool.
    """
    rng = random.Random(f"causal-{seed}")
    if rng.random() >= CAUSAL_SHARE:
        return None
    closure = small_closure(size // CAUSAL_GROUPS, families, CAUSAL_GROUPS)
    options = {"start": rng.randint(0, 3), "width": rng.choice((0.0, 0.5, 2.0))}
    options |= rng.choice(({}, {"threshold": 0.5}))
    metrics = declared_metrics("causal", options, UNIT, pool_arrays(closure))
    return closure, {"policy": "causal", "policy_options": options, "metrics": metrics, "budget": 5}


def draw_fidelities(seed: int, budget: int, policy: str, orders: Sequence[str]) -> dict[str, Any]:
    """Draw whether a seed has two methods; where nobody adds candidates, whose rows the checker would have to make."""
    rng = random.Random(f"fidelities-{seed}")
    if rng.random() >= FIDELITIES_SHARE or "add candidates" in orders:
        return {}
    dear = rng.randint(2, 5)
    methods = {"cheap": FidelitySettings(cost=1), "dear": FidelitySettings(cost=dear)}
    chooses = policy in {"fussy", "content"}
    told = {"fidelities": methods, "fidelity": "dear", "budget": budget * dear // (2 if chooses else 1) + dear}
    return told | {"uses_fidelities": chooses, "replicates": rng.choice((1, 2)) if chooses else 1}


def draw_lives(seed: int, simulators: Sequence[str]) -> dict[str, int]:
    """Draw which simulators never come, or leave for good; the first one stays. From a generator of its own."""
    rng = random.Random(f"absent-{seed}")
    if len(simulators) < 2 or rng.random() >= ABSENT_SHARE:
        return {}
    gone = rng.sample(simulators[1:], rng.randint(1, len(simulators) - 1))
    return {name: rng.choice((0, 0, 1, 2)) for name in sorted(gone)}


def forged_at(faults: FaultMix) -> FaultMix:
    """Return faults among which forgeries are many."""
    return replace(faults, events=(*faults.events, *("forge",) * FORGERIES_WHERE_SIGNED))


def draw_terms(seed: int) -> Terms:
    """Draw the terms of a seed."""
    rng = random.Random(f"terms-{seed}")
    families = rng.randint(2, 4)
    policy = rng.choices(("fussy", "random", "round_robin", "etal", "gap_gain"), (5, 2, 2, 0.2, 0.2))[0]
    apart = random.Random(f"content-{seed}")  # of its own: what else a seed draws stays as it was
    content = policy == "fussy" and apart.random() < CONTENT_SHARE
    size = rng.randint(12, 36)
    causal = draw_causal(seed, size, families)
    pool, after_effects = (small_pool(size, families), {}) if causal is None else causal
    parallel = rng.choice((1, 1, 2, 4, 8))
    simulators = tuple(f"simulator-{n + 1}" for n in range(rng.choice((1, 1, 2, 3))))
    ordering = rng.choice((Ordering.IN_ORDER, Ordering.IN_ORDER, Ordering.AS_COMPLETED))
    drawn: dict[str, Any] = {
        "budget": 5 if policy in {"etal", "gap_gain"} else rng.randint(4, 12),
        "parallel": parallel,
        "batch": rng.choice([each for each in (1, 2, 4) if each <= parallel]),
        "ordering": ordering,
        "max_attempts": rng.choice((NEVER_GIVES_UP, NEVER_GIVES_UP, 4)),
        "give_up_after": rng.choice((10, 10, 2)),
        "seed": rng.randrange(2**32),
        "policy": "content" if content else policy,
        "policy_options": {"decisions": apart.randint(0, 6)} if content else {},
        "recipients": (ANY_SIMULATOR,) if rng.random() < 0.25 else simulators,
        "valid_range": (-10.0, 10.0),
        "estimator": random.Random(f"measure-{seed}").choice(ESTIMATORS),
        "stop": draw_stop(seed),
        "approval": draw_approval(seed),
    }
    drawn["limits"] = draw_limits(seed, pool, drawn["budget"])
    if not after_effects:
        drawn |= draw_fidelities(seed, drawn["budget"], drawn["policy"], draw_orders(seed))
    signing = draw_signing(seed, simulators)
    drawn["require_signatures"] = signing.has_keys
    plan = small_plan(pool, **(drawn | after_effects))
    mean_s = rng.choice((0.05, 1.0, 5.0, 20.0))
    concurrency = rng.choice((1, 2, 4))
    deadline_s = rng.choice((3.0, 20.0, 60.0)) + 2 * mean_s
    timeout_s = rng.choice((5.0, 30.0, 120.0))
    if plan.max_attempts == NEVER_GIVES_UP:  # a request that waits its turn in the lab must not expire for ever
        timeout_s += deadline_s * math.ceil(parallel / concurrency)
    return Terms(
        seed=seed,
        pool=pool,
        plan=plan,
        start=tuple(np.array(pool.candidate_ids)[sorted(rng.sample(range(len(pool)), rng.randint(0, 6)))].tolist()),
        lab=Lab(
            seed,
            mean_s,
            rng.choice((0.0, 0.1, 0.3)),
            rng.choice((0.0, 0.2, 0.5)),
            is_rich=random.Random(f"rich-{seed}").random() < RICH_SHARE,
        ),
        simulators=simulators,
        concurrency=concurrency,
        faults=forged_at(draw_faults(rng, draw_orders(seed)))
        if signing.has_keys
        else draw_faults(rng, draw_orders(seed)),
        request_timeout_s=timeout_s,
        evaluation_deadline_s=deadline_s,
        pondering_s=rng.choice((0.0, 0.0, 0.1, 10.0)),
        lives=draw_lives(seed, simulators),
        signing=signing,
    )
