"""The closed form against eigenvalues, what it cannot see, and the other losses on small graphs."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.effects import total_effects
from agent.causal.graph.losses import (
    edge_f1,
    effects_error,
    frobenius_distance,
    laplacian_distance,
    structural_hamming_distance,
)
from protocols.errors import TableError
from tests.support.samples.causal import random_weights


def graph(d: int, **weights: float) -> np.ndarray:
    """Weights by edge: `x0_x2=1` is the edge from 0 to 2."""
    B = np.zeros((d, d))
    for edge, weight in weights.items():
        cause, effect = (int(node.removeprefix("x")) for node in edge.split("_"))
        B[effect, cause] = weight
    return B


def spectrum_of_laplacian(B: np.ndarray) -> np.ndarray:
    return np.sort(np.linalg.eigvals(np.diag(B.sum(axis=1)) - B).real)


@pytest.mark.parametrize("d", [2, 5, 10, 20])
@pytest.mark.parametrize("seed", range(25))
def test_the_laplacian_distance_is_that_of_the_eigenvalues(seed: int, d: int) -> None:
    rng = np.random.default_rng((seed, d))
    B, R = random_weights(rng, d), random_weights(rng, d)
    by_eigenvalues = np.linalg.norm(spectrum_of_laplacian(B) - spectrum_of_laplacian(R))
    assert laplacian_distance(B, R) == pytest.approx(by_eigenvalues, abs=1e-12)


@pytest.mark.parametrize("seed", range(25))
def test_adjacency_matrices_of_acyclic_graphs_have_no_eigenvalue_but_0_so_their_spectra_do_not_differ(
    seed: int,
) -> None:
    B = random_weights(np.random.default_rng(seed), 10)
    # Eigenvalues of a nilpotent matrix are ill-conditioned; its powers are not.
    assert np.abs(np.linalg.matrix_power(B, 10)).max() < 1e-12
    assert np.abs(np.linalg.eigvals(B)).max() == 0.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (graph(3, x0_x2=1), graph(3, x0_x1=1)),
        (graph(3, x0_x2=1), graph(3, x1_x2=1)),
        (graph(3, x0_x2=3, x1_x2=-2), graph(3, x0_x2=1)),
    ],
    ids=["another effect", "another cause", "weights that cancel"],
)
def test_the_laplacian_distance_does_not_see(one: np.ndarray, other: np.ndarray) -> None:
    assert laplacian_distance(one, other) == 0.0
    assert frobenius_distance(one, other) > 1.0


def test_a_turned_edge_counts_once_in_the_structural_hamming_distance() -> None:
    truth = graph(4, x0_x1=1, x1_x2=1, x2_x3=1)
    assert structural_hamming_distance(truth, truth) == 0
    assert structural_hamming_distance(graph(4, x1_x0=1, x1_x2=1, x2_x3=1), truth) == 1
    assert structural_hamming_distance(graph(4, x0_x1=1, x1_x2=1), truth) == 1
    assert structural_hamming_distance(graph(4, x0_x1=1, x1_x2=1, x2_x3=1, x0_x3=1), truth) == 1
    assert structural_hamming_distance(graph(4, x3_x0=1), truth) == 4


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    truth = graph(4, x0_x1=1, x1_x2=1, x2_x3=1)
    found = graph(4, x0_x1=0.5, x2_x1=1)
    precision, recall = 1 / 2, 1 / 3
    assert edge_f1(found, truth) == pytest.approx(2 * precision * recall / (precision + recall))
    assert edge_f1(graph(4), truth) == 0.0
    assert edge_f1(graph(4), graph(4)) == 1.0


def test_a_weight_up_to_the_least_is_no_edge() -> None:
    assert structural_hamming_distance(graph(2, x0_x1=0.01), graph(2)) == 0
    assert structural_hamming_distance(graph(2, x0_x1=0.02), graph(2)) == 1
    assert edge_f1(graph(2, x0_x1=0.3), graph(2, x0_x1=0.3), least=0.5) == 1.0


def test_the_frobenius_distance_is_the_length_of_the_difference() -> None:
    assert frobenius_distance(graph(3, x0_x1=3), graph(3, x0_x2=4)) == 5.0


def test_the_error_of_effects_is_that_of_the_targets_row_without_the_target() -> None:
    rng = np.random.default_rng(0)
    B, R = random_weights(rng, 5), random_weights(rng, 5)
    error = np.delete(total_effects(B)[4] - total_effects(R)[4], 4)
    assert effects_error(B, R, 4) == pytest.approx(np.sqrt((error**2).mean()))
    assert effects_error(graph(3, x0_x1=2, x1_x2=3), graph(3, x1_x2=3), 2) == pytest.approx(np.sqrt(36 / 2))


@pytest.mark.parametrize(
    "loss",
    [laplacian_distance, structural_hamming_distance, edge_f1, frobenius_distance, lambda B, R: effects_error(B, R, 0)],
)
def test_graphs_of_other_sizes_or_with_a_cycle_are_refused(loss: object) -> None:
    assert callable(loss)
    with pytest.raises(TableError, match="One graph has 2 variables, the other 3"):
        loss(graph(2), graph(3))
    with pytest.raises(TableError, match="cycle"):
        loss(graph(2), graph(2, x0_x1=1, x1_x0=1))
