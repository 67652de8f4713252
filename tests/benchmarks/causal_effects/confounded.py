"""A confounded log of the benzenes, and what comes of it: textbook estimates, and campaigns that begin with it.

A hidden research programme chooses both substituents and their place; the log withholds the second substituent and the
programme. Each programme has its share, and the probabilities of X, of Y and of ortho, meta, para.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.acquisition.causal.asked_designs import BelievedDesigns
from agent.acquisition.causal.causal import Causal
from agent.causal.belief import Belief
from agent.causal.designs.effects import effect_queries
from agent.pool.designs import Designs
from agent.pool.earlier_log import EarlierLog, make_log
from tests.benchmarks.causal_effects.beds import judged
from tests.support.samples.closures import Bed, context_of

ROWS: Final = 200
CHECKPOINTS: Final = (20, 40, 60, 120)
PROGRAMMES: Final[tuple[tuple[float, dict[str, float], dict[str, float], tuple[float, float, float]], ...]] = (
    (
        0.4,
        {"NO2": 0.4, "CN": 0.25, "CHO": 0.25, "CF3": 0.1},
        {"NMe2": 0.4, "NH2": 0.3, "OCH3": 0.15, "OH": 0.15},
        (0.1, 0.1, 0.8),
    ),
    (
        0.3,
        {"CH3": 0.25, "OCH3": 0.2, "OH": 0.2, "NH2": 0.15, "NMe2": 0.1, "H": 0.1},
        {"H": 0.4, "CH3": 0.3, "OH": 0.3},
        (0.4, 0.1, 0.5),
    ),
    (
        0.2,
        {"F": 0.3, "Cl": 0.3, "CF3": 0.2, "H": 0.2},
        {"F": 0.3, "Cl": 0.3, "CF3": 0.3, "H": 0.1},
        (0.2, 0.2, 0.6),
    ),
    (0.1, {}, {}, (1 / 3, 1 / 3, 1 / 3)),
)
PLACES: Final = ("ortho", "meta", "para")


def draw_log(bed: Bed, seed: int) -> EarlierLog:
    """Draw a log of `ROWS` rows that tells X, place and value."""
    designs = _designs_of(bed)
    rng = np.random.default_rng(seed)
    x, y, place = (designs.factors.index(name) for name in ("x", "y", "position"))
    names = [[designs.levels[f][code] for f, code in enumerate(row)] for row in designs.codes.tolist()]
    even = 1.0 / len(designs.groups)

    def chance(row: list[str]) -> float:
        return sum(
            share
            * (of_x.get(row[x], 0.0) if of_x else even)
            * (of_y.get(row[y], 0.0) if of_y else even)
            * of_place[PLACES.index(row[place])]
            for share, of_x, of_y, of_place in PROGRAMMES
        )

    p = np.array([chance(row) for row in names])
    drawn = rng.choice(len(p), size=ROWS, p=p / p.sum())
    columns = {"x": [names[row][x] for row in drawn], "position": [names[row][place] for row in drawn]}
    return make_log(designs, columns, bed.truth[designs.candidate[drawn]].tolist())


def textbook_estimates(bed: Bed, log: EarlierLog) -> dict[str, NDArray[np.float64]]:
    """Return what a difference of means and a regression on X and place make of the effects."""
    designs = _designs_of(bed)
    x, place = log.codes[:, designs.query], log.codes[:, designs.factors.index("position")]
    asked = [level for level in range(len(designs.groups)) if level != designs.reference]
    means = np.array(
        [log.values[x == level].mean() if (x == level).any() else np.nan for level in range(len(designs.groups))]
    )
    dummies = [np.ones(len(x)), *(x == level for level in asked), *(place == level for level in (1, 2))]
    coefficients = np.linalg.lstsq(np.column_stack(dummies).astype(float), log.values, rcond=None)[0]
    return {
        "difference of means": means[asked] - means[designs.reference],
        "regression on X and place": coefficients[1 : 1 + len(asked)],
    }


def show_log(bed: Bed, seeds: int, estimate: str) -> None:
    """Print errors of textbook estimates, and of the query design with the log ignored, learned and trusted."""
    W, _ = effect_queries(_designs_of(bed), len(bed.truth))
    truth = W @ bed.truth
    print(f"all effects zero: {np.sqrt(np.mean(truth**2)):.2f}")
    logs = [draw_log(bed, 1_000 + seed) for seed in range(seeds)]
    for name in textbook_estimates(bed, logs[0]):
        errors = [np.sqrt(np.nanmean((textbook_estimates(bed, log)[name] - truth) ** 2)) for log in logs]
        print(f"{name}, {ROWS} rows of the log: {np.mean(errors):.2f} ± {np.std(errors, ddof=1) / np.sqrt(seeds):.2f}")
    for how in ("ignored", "learned", "trusted"):
        errors, covered = [], []
        for seed in range(seeds):
            known = bed if how == "ignored" else replace(bed, pool=replace(bed.pool, log=logs[seed]))
            course = [judged(each, truth) for each in _course(known, seed, estimate, trust=how == "trusted")]
            errors.append([each.error for each in course])
            covered.append([each.held for each in course])
        rmse, held = np.mean(errors, axis=0).round(3), np.mean(covered, axis=0).round(2)
        print(f"log {how}: rmse at {CHECKPOINTS} {rmse}, covered {held}")


def _course(bed: Bed, seed: int, estimate: str, *, trust: bool) -> list[Belief]:
    policy = Causal(width=0.0, threshold=0.0, estimate=estimate, trust_log=trust)
    judge = BelievedDesigns("judge", estimate=estimate, trust_log=trust)
    acquired, beliefs = list[int](), []
    for checkpoint in CHECKPOINTS:
        while len(acquired) < checkpoint:
            proposal = policy.propose(context_of(bed, acquired, campaign_seed=seed), 1)
            acquired.append(proposal.choices[0].index)
        beliefs.append(judge.known(context_of(bed, acquired, campaign_seed=seed)).stated)
    return beliefs


def _designs_of(bed: Bed) -> Designs:
    assert bed.pool.designs is not None
    return bed.pool.designs
