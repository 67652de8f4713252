from __future__ import annotations

import numpy as np
import pytest

from simulators.crystals.averages import FloatArray, averages_of


def cubic(c11: float, c12: float, c44: float) -> FloatArray:
    found = np.diag([c11] * 3 + [c44] * 3)
    found[:3, :3] += c12 * (1 - np.eye(3))
    return found


def test_an_isotropic_crystal_has_one_modulus_of_each_kind_and_no_anisotropy() -> None:
    found = averages_of(cubic(150.0, 50.0, 50.0))
    assert (found.bulk_voigt, found.bulk_reuss) == pytest.approx((250 / 3, 250 / 3))
    assert (found.shear_voigt, found.shear_reuss) == pytest.approx((50, 50))
    assert found.anisotropy == pytest.approx(0, abs=1e-12)


def test_a_cubic_crystal_has_the_averages_of_the_formulas() -> None:
    """Hill (1952): G_V = (C11 − C12 + 3 C44)/5, G_R = 5 (C11 − C12) C44 / (4 C44 + 3 (C11 − C12))."""
    c11, c12, c44 = 172.59, 115.43, 89.90
    found = averages_of(cubic(c11, c12, c44))
    assert found.bulk == pytest.approx((c11 + 2 * c12) / 3)
    assert found.shear_voigt == pytest.approx((c11 - c12 + 3 * c44) / 5)
    assert found.shear_reuss == pytest.approx(5 * (c11 - c12) * c44 / (4 * c44 + 3 * (c11 - c12)))
    assert found.shear == pytest.approx(56.88, abs=0.01)


def test_the_anisotropy_counts_bulk_and_shear() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(6, 6))
    found = averages_of(root @ root.T + 10 * np.eye(6))
    expected = 5 * found.shear_voigt / found.shear_reuss + found.bulk_voigt / found.bulk_reuss - 6
    assert found.anisotropy == pytest.approx(expected)
    assert found.anisotropy > 0
