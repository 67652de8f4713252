"""What the policies of this room share: the designs of a pool, its random start, and what is believed of it.

The first acquisitions are designs drawn at random: without any a model that chooses its own values would begin the same
way in every campaign. Designs are drawn evenly, so a candidate that several designs make is as many
times as likely; one that is taken is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, PoolArrays, Proposal
from agent.acquisition.grown_surrogate import canonical_order
from agent.acquisition.selection import Pick, proposal_of
from agent.causal.designs.design_model import AUTOMATIC, MODELS, DesignModel, Knowledge
from agent.pool.designs import Designs
from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean

DEFAULT_START: Final = 10
"""Random designs at the start of the policies that stand beside `causal`: about as many as the groups of a closure of a
dozen."""

PHASES: Final = {"start": 0.0, "effects": 1.0, "act": 2.0}
"""Phase of a decision -> its number in the details."""

START: Final = {"phase": PHASES["start"]}
"""Details of what is drawn at the start."""


def designs_of(pool: PoolArrays, policy: str) -> Designs:
    """Return the designs of a pool.

    Raises:
        SettingsError: When it has none.
    """
    if pool.designs is None:
        raise SettingsError(
            f"The policy {policy!r} needs a pool whose candidates are made by designs, and this one has none",
            expected="a table of designs: a column for each factor, and the candidate that each row makes",
            action="name the table of designs in [pool], or choose another policy",
        )
    return pool.designs


def random_start(context: AcquisitionContext, count: int, start: int) -> list[Pick]:
    """Draw what is left of the start, at most `count` candidates; none once there are `start` values or requests.

    Without designs every available candidate is equally likely.
    """
    begun = len(context.observed) + len(context.pending)
    left = min(count, len(context.available), start - begun)
    if left <= 0:
        return []
    rng = np.random.default_rng(context.seed)
    designs = context.pool.designs
    ways = np.ones(len(context.available))
    if designs is not None:
        ways = np.bincount(designs.candidate, minlength=len(context.pool.features))[context.available].astype(float)
    drawn = rng.choice(context.available, size=left, replace=False, p=ways / ways.sum())
    what = "candidate" if designs is None else "design"
    return [
        Pick(Choice(int(index)), None, "", f"a {what} drawn at random, number {number} of {start} to start from", START)
        for number, index in enumerate(drawn, begun + 1)
    ]


def proposed(picks: Sequence[Pick]) -> Proposal:
    """Return the proposal of a batch, of at least one pick; these policies mean no family."""
    return replace(proposal_of(picks), target_family=None)


def check_model(model: object) -> None:
    """Refuse an option `model` that names none.

    Raises:
        SettingsError: With what was found.
    """
    if model not in MODELS:
        near = did_you_mean(model, MODELS) if isinstance(model, str) else ""
        raise SettingsError(
            f"The policy option model is {model!r}", expected=f"one of {', '.join(MODELS)}", action=near
        )


def check_text(name: str, value: object) -> None:
    """Refuse an option that is no text.

    Raises:
        SettingsError: With what was found.
    """
    if not isinstance(value, str):
        raise SettingsError(f"The policy option {name} is {value!r}", expected="a name, or '' for none")


def check_truth(name: str, value: object) -> None:
    """Refuse an option that is neither true nor false.

    Raises:
        SettingsError: With what was found.
    """
    if not isinstance(value, bool):
        raise SettingsError(f"The policy option {name} is {value!r}", expected="true or false")


def check_optional_number(name: str, value: object) -> None:
    """Refuse an option that is no finite number, where one is given.

    Raises:
        SettingsError: With what was found.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
    if value is not None and not is_number:
        raise SettingsError(f"The policy option {name} is {value!r}", expected="a number in the unit of the property")


class BelievedDesigns:
    """What a policy believes of a closure, kept from one decision to the next.

    Args:
        policy: Name of the policy, for errors.
        estimate: Name of the feature that estimates the property; empty for none.
        model: One of `MODELS`.
        trust_log: Take an earlier log at its word.

    Raises:
        SettingsError: On an option that is none.
    """

    def __init__(self, policy: str, *, estimate: str = "", model: str = AUTOMATIC, trust_log: bool = False) -> None:
        check_text("estimate", estimate)
        check_model(model)
        check_truth("trust_log", trust_log)
        self._policy = policy
        self._estimate, self._model, self._trust_log = estimate, model, trust_log
        self._kept: tuple[PoolArrays, DesignModel] | None = None

    def known(self, context: AcquisitionContext) -> Knowledge:
        """Return what is believed after all values, nothing else."""
        order, started = canonical_order(context)
        noise = np.square(context.target_uncertainties[0])
        return self.model_of(context.pool).follow(context.observed[order], context.values[order], noise[order], started)

    def in_flight(self, context: AcquisitionContext) -> Knowledge:
        """Return what is believed once everything in flight is measured."""
        knowledge = self.known(context)
        for index in context.pending.tolist():
            knowledge = knowledge.after(index)
        return knowledge

    def model_of(self, pool: PoolArrays) -> DesignModel:
        """Return the model of a pool, made once."""
        if self._kept is None or self._kept[0] is not pool:
            model = DesignModel(
                designs_of(pool, self._policy),
                pool.features,
                pool.feature_names,
                estimate=self._estimate,
                model=self._model,
                log=pool.log,
                trust_log=self._trust_log,
            )
            self._kept = (pool, model)
        return self._kept[1]
