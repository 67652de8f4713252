"""One decision: the best question for its cost, each with those before it in flight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, FloatArray
from agent.acquisition.fidelities.history import FidelityHistory
from agent.acquisition.fidelities.measured import Measured
from agent.acquisition.fidelities.moment import Moment
from agent.acquisition.fidelities.questions import Questions, next_pair, questions_of
from agent.acquisition.fidelities.scores import Scores, Weights
from agent.acquisition.selection import Pick, best_two
from agent.entropy.change_table import ChangeTableMemory

NO_RATE: Final = -np.inf


@dataclass(frozen=True, slots=True)
class Options:
    """Of the policy: of the score, and how many pairs of each cheap method come first."""

    weights: Weights
    pairs: int


class Decision:
    """The working state of one call of `propose`.

    Args:
        context: Of the decision.
        history: Brought up to the context.
        measured: The values of the context.
        tables: Kept between decisions.
        options: Of the policy.
    """

    def __init__(
        self,
        context: AcquisitionContext,
        history: FidelityHistory,
        measured: Measured,
        tables: ChangeTableMemory,
        options: Options,
    ) -> None:
        self._context, self._history, self._tables, self._options = context, history, tables, options
        self._fidelities = history.fidelities
        self._moment = Moment(context, history, measured)
        self._is_available = np.zeros(len(context.pool.candidate_ids), dtype=bool)
        self._is_available[context.available] = True

    def pick(self) -> Pick | None:
        """Choose one row; None where nothing is left to ask for that the budget pays, or no dear value."""
        moment, dear_cost = self._moment, self._fidelities.costs[self._fidelities.target]
        if moment.cost_left < dear_cost:
            return None
        available = np.flatnonzero(self._is_available)
        questions = questions_of(self._history, moment, available)
        if len(questions.rows) == 0:
            return None
        return self._pair(questions) or self._best(questions)

    def request(self, row: int) -> None:
        """Let a pick count as requested before the next one."""
        self._is_available[row] = False
        self._moment.request(row)

    def _pair(self, questions: Questions) -> Pick | None:
        """Choose what makes the next pair of a cheap method, where there are not enough."""
        moment, fidelities = self._moment, self._fidelities
        for method in range(fidelities.target):
            row = next_pair(questions, moment, method, self._options.pairs)
            if row is not None:
                reason = f"how {fidelities.names[method]} goes with {fidelities.names[-1]}, where the latter is known"
                details = {"cost": float(fidelities.costs[method]), "cost_left": float(moment.cost_left)}
                return Pick(Choice(row), None, self._family(row), reason, details)
        return None

    def _best(self, questions: Questions) -> Pick:
        moment, fidelities = self._moment, self._fidelities
        target = fidelities.target
        scores = Scores(self._context, self._history, moment, self._tables, self._options.weights)
        rates = np.full(len(questions.rows), NO_RATE)
        is_dear = (questions.method == target) & ~questions.is_again
        gaps, model = scores.of_dear(questions.where(is_dear))
        rates[is_dear] = (gaps + model) / fidelities.costs[target]
        is_open = np.zeros(len(moment.asked[target]), dtype=bool)
        is_open[questions.candidate[is_dear]] = True
        for method, cost in enumerate(fidelities.costs):
            here = (questions.method == method) & ~is_dear
            rates[here] = scores.of_teaching(questions.where(here), method) / cost
            may_follow = here & is_open[questions.candidate]
            if method != target and moment.cost_left >= cost + fidelities.costs[target] and may_follow.any():
                asked = questions.where(may_follow)
                rates[may_follow] = scores.of_looking(asked, method, cost, fidelities.costs[target])
        return self._pick(questions, rates, {"gap": gaps, "model": model}, is_dear)

    def _pick(
        self,
        questions: Questions,
        rates: FloatArray,
        parts: dict[str, FloatArray],
        is_dear: np.typing.NDArray[np.bool_],
    ) -> Pick:
        moment, fidelities = self._moment, self._fidelities
        choice, runner_up = best_two(questions.rows, rates)
        at = int(np.searchsorted(questions.rows, choice.index))
        method, place = int(questions.method[at]), int(questions.place[at])
        scale = float(self._history.scale[moment.target])
        dear_rates = rates[is_dear]
        details = {
            "rate": float(rates[at]),
            "best_dear_rate": float(dear_rates.max()) if len(dear_rates) else 0.0,
            "cost": float(fidelities.costs[method]),
            "cost_left": float(moment.cost_left),
            "mean_gap": float((moment.h.max() - moment.h).mean()),
            "predicted_mean": float(moment.mean()[place]),
            "predicted_std": scale * float(np.sqrt(moment.variance(moment.target)[place])),
        }
        if is_dear[at]:
            among = int(np.count_nonzero(is_dear[:at]))
            details |= {"gap_share": float(parts["gap"][among]), "model_share": float(parts["model"][among])}
        again = bool(questions.is_again[at])
        reason = self._in_words(method, again=again, details=details)
        return Pick(choice, runner_up, self._family(choice.index), reason, details)

    def _in_words(self, method: int, *, again: bool, details: dict[str, float]) -> str:
        name, rate = self._fidelities.names[method], 100.0 * details["rate"]
        brings = f"brings {rate:.2g} % for each unit of its cost (expected)"
        if again:
            return f"{name} once more: a doubtful value that {brings}"
        if method == self._moment.target:
            return (
                f"{name} {brings}; it is predicted as {details['predicted_mean']:.3g} ± {details['predicted_std']:.2g}"
            )
        dear = 100.0 * details["best_dear_rate"]
        best = f"a value by {self._fidelities.names[-1]} at once {dear:.2g} %"
        return f"{name}, with what it recommends, {brings}; {best}"

    def _family(self, row: int) -> str:
        pool = self._context.pool
        family: str = pool.families[pool.family_codes[row]]
        return family
