"""Active causal learning as it was published (Fox and Ghosh 2024): there to be measured against, never to be used.

It asks for the rows of a schedule (`agent.causal.reference.schedule`): one to begin with, then in every round a batch
of each of some chemical subsets, found by a mixture of normal distributions over features. All batches of a round are
paid for; that one is kept whose graph comes nearest to the graph of *all* rows (`kept_rows`). That global graph needs
the values of all rows; here somebody who has them must bring it, among the options, and the journal keeps it.

| arm | batches of a round | kept |
|---|---|---|
| active | one of each subset | the nearest to the global graph |
| control | one, of a subset that is drawn: the publication's control | that one |
| best_of_three | three of all rows: the fair control | the nearest to the global graph |

What is drawn depends on the seed of the campaign and on no value, so that no request has to wait for another: batches
of coming rounds may be in flight, and only what is kept follows from the values. A value that is known already is not
asked for again; a candidate that is abandoned or excluded is left out, and its round goes on without it. What is known
from the start counts where a round draws it, and is no part of what is kept otherwise.

Its metrics: the Laplacian distance to the global graph, of the rows that are kept and of all rows whose values are
known. The second is defined for whatever policy; the first only where the schedule was followed.

Reference: Z. R. Fox, A. Ghosh, Mach. Learn.: Sci. Technol. 5, 035056 (2024), with their public code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, FloatArray, IndexArray, PoolArrays, Proposal
from agent.acquisition.selection import check_whole_number, short_reason
from agent.causal.reference.global_graph import GlobalGraph
from agent.causal.reference.kept_rows import KeptRows
from agent.causal.reference.report import in_words
from agent.causal.reference.schedule import ARMS, BATCH, ROUNDS, Arm, Schedule, draw_schedule, require_arm
from agent.causal.reference.selection import subsets_of
from agent.causal.reference.subsets import SEED, SUBSETS, chemical_subsets
from agent.metrics import Meter, Metric
from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean

METRICS: Final = (
    Metric("graph_loss", "loss to the told graph, rows kept", "graph loss (kept)", "", lower_is_better=True),
    Metric("graph_loss_of_all", "loss to the told graph, all paid", "graph loss (all)", "", lower_is_better=True),
    Metric("rows_kept", "rows kept", "rows kept", "", lower_is_better=False),
)
"""Of the first two: the Laplacian distance, which adds weights of all units."""

RECOMPUTED_EVERY: Final = 10
"""Values after which the graph of all of them is found again [value]: its fit would take most of a campaign's time."""


class CausalReference:
    """The policy "causal_reference".

    Args:
        global_graph: The graph of all rows, as `entropilot global-graph` writes it: names of features and, last, of the
            campaign's property (`variables`), and `weights`, a row the effects on a variable.
        arm: "active", "control" or "best_of_three".
        subset_features: Features of the mixture; by default those of the graph.
        subsets: How many.
        subset_seed: Seed of the mixture's start, on which the published sizes depend.
        batch: Rows of a batch.
        rounds: How many.

    Raises:
        SettingsError: On an option out of its range, or without the global graph.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(
        self,
        *,
        global_graph: object = None,
        arm: Arm = ARMS[0],
        subset_features: Sequence[str] = (),
        subsets: int = SUBSETS,
        subset_seed: int = SEED,
        batch: int = BATCH,
        rounds: int = ROUNDS,
    ) -> None:
        if global_graph is None:
            raise SettingsError(
                "The policy causal_reference is not told the global graph, the graph of all rows that it is to find",
                expected="the option global_graph",
                action="`entropilot global-graph SCENARIO` makes it where all values are known; lay its file over the "
                "scenario by --settings. Where values are to be measured, take the policy causal",
            )
        require_arm(arm)
        for name, value, least in (("subsets", subsets, 1), ("batch", batch, 1), ("rounds", rounds, 1)):
            check_whole_number(name, value, least)
        check_whole_number("subset_seed", subset_seed, 0)
        if isinstance(subset_features, str) or not all(isinstance(each, str) for each in subset_features):
            raise SettingsError(
                f"The policy option subset_features is {subset_features!r}", expected="a list of names of features"
            )
        self._told = GlobalGraph.of_options(global_graph)
        self._arm: Arm = arm
        self._subset_features = tuple(subset_features) or self._told.features
        self._mixture = (subsets, subset_seed)
        self._sizes = (rounds, batch)
        self._found: tuple[PoolArrays, tuple[IndexArray, ...]] | None = None
        self._followed: tuple[PoolArrays, int, Schedule, KeptRows] | None = None

    def metrics(self, unit: str, pool: PoolArrays) -> tuple[Metric, ...]:  # noqa: ARG002 - of graphs, in no unit
        """Declare how far graphs are from the one that is told, and how many rows are kept."""
        return METRICS

    def meter(self, pool: PoolArrays, properties: tuple[str, ...]) -> Meter:
        """Return what computes them."""
        if properties[0] != self._told.target:
            raise SettingsError(
                f"The global graph is of {self._told.target!r}, and the campaign is of {properties[0]!r}",
                expected="a graph whose last variable is the property of the campaign",
            )
        return ReferenceMeter(self, pool)

    def follow(self, pool: PoolArrays, seed: int) -> tuple[Schedule, KeptRows]:
        """Return what is drawn of a pool, and what follows the values; of these none is known yet.

        Args:
            pool: The pool.
            seed: Of the campaign.

        Raises:
            SettingsError: When the pool lacks a feature, or is too small.
            TableError: When the mixture cannot be found.
        """
        features = _columns(pool, self._told.features)
        rounds, batch = self._sizes
        names = self._told.names
        subsets = self._subsets_of(pool)
        schedule = draw_schedule(subsets, self._arm, len(names), seed=seed, rounds=rounds, batch=batch)
        rows = np.column_stack((features, np.full(len(features), np.nan)))
        return schedule, KeptRows(schedule, self._told, rows)

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose the next `count` rows that the schedule draws and whose values are not known or asked for."""
        schedule, kept = self._followed_by(context)
        selection = kept.selection()
        details = {
            "rounds_over": float(len(selection.losses)),
            "rows_kept": float(len(selection.rows)),
            **({"graph_loss": selection.losses[-1]} if selection.losses else {}),
        }
        ordered = schedule.different_rows()
        left = ordered[np.isin(ordered, context.available)]
        if len(left) == 0:
            reason = f"all that {len(schedule.rounds)} rounds draw is asked for: {len(ordered)} different rows"
            return Proposal((), short_reason(reason), details=details)
        chosen = tuple(Choice(index) for index in left[:count].tolist())
        reason = f"{schedule.where(chosen[0].index)}, of rows drawn before any value was known"
        if selection.losses:
            loss = f"{selection.losses[-1]:.3g} off the global graph"
            reason += f"; {len(selection.rows)} rows kept up to round {len(selection.losses)}, {loss}"
        return Proposal(chosen, short_reason(reason), details=details)

    def _subsets_of(self, pool: PoolArrays) -> tuple[IndexArray, ...]:
        """Return the candidates of each subset; the fair control has none, it draws from all."""
        if self._arm == "best_of_three":
            return (np.arange(len(pool.candidate_ids)),)
        if self._found is None or self._found[0] is not pool:
            count, seed = self._mixture
            labels = chemical_subsets(_columns(pool, self._subset_features), count=count, seed=seed)
            self._found = (pool, subsets_of(labels))
        return self._found[1]

    def _followed_by(self, context: AcquisitionContext) -> tuple[Schedule, KeptRows]:
        """Return the schedule of a campaign, and what is kept by the values that its context shows."""
        pool, seed = context.pool, context.campaign_seed
        if self._followed is None or self._followed[0] is not pool or self._followed[1] != seed:
            self._followed = (pool, seed, *self.follow(pool, seed))
        _, _, schedule, kept = self._followed
        values = np.full(len(pool.candidate_ids), np.nan)
        values[context.observed] = context.values
        kept.follow(values)
        return schedule, kept


class ReferenceMeter:
    """Computes the metrics after every observation, and says what was told and what it cost.

    Args:
        policy: Whose metrics they are.
        pool: The pool.
    """

    def __init__(self, policy: CausalReference, pool: PoolArrays) -> None:
        self._policy = policy
        self._pool = pool
        self.begin(0)

    def begin(self, seed: int) -> None:
        """Take in the seed of the campaign, before the first value."""
        _, self._kept = self._policy.follow(self._pool, seed)
        self._values = 0
        self._loss_of_all = math.inf

    def add(self, index: int, *values: float) -> None:
        """Take in the value of a candidate."""
        self._kept.learn(index, values[0])
        self._values += 1
        if self._values % RECOMPUTED_EVERY == 0:
            self._loss_of_all = self._kept.loss_of(self._kept.known)

    def values(self) -> tuple[float | None, ...]:
        """Return the loss of what is kept, that of all values, and how many rows are kept, once a round is over."""
        selection = self._kept.selection()
        if not selection.losses:
            return (None, _finite(self._loss_of_all), None)
        return (_finite(selection.losses[-1]), _finite(self._loss_of_all), float(len(selection.rows)))

    def account(self) -> str:
        """Say what the campaign was told, what it kept, and how many values that took."""
        return in_words(self._kept.selection())


def _columns(pool: PoolArrays, names: Sequence[str]) -> FloatArray:
    """Return some features of all candidates, shape (n, q).

    Raises:
        SettingsError: When the pool lacks one.
    """
    for name in names:
        if name not in pool.feature_names:
            raise SettingsError(
                f"The pool has no feature {name!r}",
                expected=f"one of {', '.join(pool.feature_names) or 'those of a pool with named features'}",
                action=did_you_mean(name, pool.feature_names),
            )
    return pool.features[:, [pool.feature_names.index(name) for name in names]]


def _finite(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None
