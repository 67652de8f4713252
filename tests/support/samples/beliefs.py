"""A belief about a few latent quantities, with and without a matrix of what is observed."""

from __future__ import annotations

import numpy as np

from agent.causal.belief import Belief

LATENT, CANDIDATES = 6, 9


def some_belief(*, observes: bool, seed: int = 0) -> Belief:
    """Draw one with three queries; where it has no matrix, the latent quantities are the candidates themselves."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(LATENT, LATENT))
    H = rng.normal(size=(CANDIDATES, LATENT)) if observes else None
    n = CANDIDATES if observes else LATENT
    mean, noise, queries = rng.normal(size=LATENT), 0.1 + rng.random(n), rng.normal(size=(3, LATENT))
    return Belief(mean, root @ root.T, noise, queries, ("a", "b", "c"), H, 1.3)
