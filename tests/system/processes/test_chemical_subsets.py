"""Subsets of molecules by a mixture; scikit-learn asks another process how many cores there are."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.reference.subsets import chemical_subsets
from protocols.errors import TableError

pytestmark = pytest.mark.system


def clouds() -> tuple[np.ndarray, np.ndarray]:
    """300, 500 and 200 points of three kinds, in turns; and the kind of each."""
    rng = np.random.default_rng(0)
    kinds = rng.permutation(np.repeat([0, 1, 2], [300, 500, 200]))
    centres = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    return centres[kinds] + rng.normal(size=(1000, 2)), kinds


def test_each_kind_is_a_subset_and_the_largest_comes_first() -> None:
    descriptors, kinds = clouds()
    found = chemical_subsets(descriptors)
    assert np.bincount(found).tolist() == [500, 300, 200]
    for subset, kind in enumerate((1, 0, 2)):
        assert (found[kinds == kind] == subset).all()


def test_subsets_are_the_same_each_time() -> None:
    descriptors = np.random.default_rng(1).normal(size=(400, 3))
    assert (chemical_subsets(descriptors) == chemical_subsets(descriptors)).all()


@pytest.mark.parametrize("descriptors", [np.zeros((2, 3)), np.array([[1.0], [2.0], [np.nan]]), np.zeros(9)])
def test_descriptors_that_make_no_mixture_are_refused(descriptors: np.ndarray) -> None:
    with pytest.raises(TableError, match="finite descriptors of at least 3 molecules"):
        chemical_subsets(descriptors)
