"""The followed model: a fold that is the same to the bit, and which model label-free figures speak for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.causal.designs import design_model
from agent.causal.designs.closure import closure_of
from agent.causal.designs.design_model import DesignModel, Knowledge, choose_model
from agent.pool.designs import make_designs
from agent.pool.earlier_log import WITHHELD, EarlierLog
from protocols.errors import SettingsError
from tests.support.samples.closures import Bed, benzenes, made_up_bed

BED = made_up_bed()
ORDER = np.random.default_rng(4).permutation(len(BED.truth))
NONE = np.zeros(len(ORDER))


def model_of(bed: Bed = BED, estimate: str = "guess", **options: object) -> DesignModel:
    assert bed.pool.designs is not None
    return DesignModel(bed.pool.designs, bed.pool.features, bed.pool.feature_names, estimate=estimate, **options)  # type: ignore[arg-type]


def known(model: DesignModel, count: int, started: int = 0, bed: Bed = BED) -> Knowledge:
    rows = ORDER[:count]
    return model.follow(rows, bed.truth[rows], NONE[:count], started)


def same(one: Knowledge, other: Knowledge) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for a, b in ((one.stated, other.stated), (one.cautious, other.cautious))
        for name in ("mean", "covariance", "noise")
    )


@pytest.mark.parametrize("estimate", ["guess", ""])
@pytest.mark.parametrize("count", [0, 3, 5, 17, 44])
def test_one_that_lived_through_and_one_that_is_asked_once_believe_the_same_to_the_bit(
    estimate: str, count: int
) -> None:
    lived = model_of(estimate=estimate)
    for k in range(count + 1):
        through = known(lived, k)
    assert same(through, known(model_of(estimate=estimate), count))


def test_going_back_to_fewer_values_is_the_same_as_never_having_had_them() -> None:
    model = model_of()
    known(model, 30)
    assert same(known(model, 22), known(model_of(), 22))


def test_a_value_that_is_amended_is_not_remembered() -> None:
    model, amended = model_of(), BED.truth.copy()
    known(model, 24)
    amended[ORDER[3]] += 1.0
    bed = replace(BED, truth=amended)
    assert same(known(model, 24, bed=bed), known(model_of(), 24, bed=bed))


def test_between_two_fits_values_are_conditioned_on_as_at_once() -> None:
    """22 values: fitted to 20, two learned one by one; the textbook conditions on all 22 under the same prior."""
    belief = known(model_of(), 22).stated
    model = model_of()
    prior = model._model.fit(ORDER[:20], BED.truth[ORDER[:20]], NONE[:20])
    rows = ORDER[:22]
    S = prior.covariance[np.ix_(rows, rows)] + prior.nugget * np.eye(22)
    gain = np.linalg.solve(S, prior.covariance[rows]).T
    np.testing.assert_allclose(belief.mean, prior.mean + gain @ (BED.truth[rows] - prior.mean[rows]), atol=1e-7)
    np.testing.assert_allclose(belief.covariance, prior.covariance - gain @ prior.covariance[rows], atol=1e-7)


def test_the_start_set_counts_for_the_first_fit_whatever_its_size() -> None:
    assert not same(known(model_of(), 23, started=23), known(model_of(), 23, started=0))
    assert same(known(model_of(), 23, started=3), known(model_of(), 23, started=0))


def test_noise_to_come_is_that_of_the_values_so_far() -> None:
    rows = ORDER[:10]
    noise = np.full(10, 0.04)
    belief = model_of().follow(rows, BED.truth[rows], noise, 0).stated
    assert belief.noise == pytest.approx(np.full(len(BED.truth), belief.noise[0]))
    assert belief.noise[0] == pytest.approx(0.04, rel=0.01)


def test_cautious_and_stated_agree_but_for_the_covariance() -> None:
    knowledge = known(model_of(), 20)
    assert (knowledge.cautious.variances >= knowledge.stated.variances - 1e-9).all()
    after = knowledge.after(int(ORDER[30]))
    np.testing.assert_array_equal(after.stated.covariance, knowledge.stated.after(int(ORDER[30])).covariance)
    np.testing.assert_array_equal(after.cautious.covariance, knowledge.cautious.after(int(ORDER[30])).covariance)


def test_a_log_narrows_the_effects_and_says_what_bias_it_was_given() -> None:
    designs = BED.pool.designs
    assert designs is not None
    codes = designs.codes.copy()
    codes[:, 1] = WITHHELD
    log = EarlierLog(codes, BED.truth[designs.candidate])
    without, doubting, trusting = (
        known(model_of(log=each, trust_log=trust), 12) for each, trust in ((None, False), (log, False), (log, True))
    )
    assert without.bias_std is None
    assert doubting.bias_std is not None
    assert trusting.bias_std is not None
    assert trusting.bias_std < doubting.bias_std
    assert trusting.stated.mean_half_width < doubting.stated.mean_half_width < without.stated.mean_half_width


def test_an_estimate_of_lengths_speaks_for_vectors() -> None:
    assert model_of().name == "vectors"
    assert model_of(estimate="").name == "features"
    assert model_of(estimate="noise").name == "features"


@pytest.mark.parametrize(("column", "model"), [("mu_mmff", "vectors"), ("mu_gast", "vectors"), ("e_mmff", "features")])
def test_of_the_benzenes_dipole_moments_are_vectors_and_energies_are_not(column: str, model: str) -> None:
    assert model_of(benzenes(), column).name == model


def test_what_adds_is_no_vector() -> None:
    assert BED.pool.designs is not None
    closure = closure_of(BED.pool.designs)
    adds = 1.0 + closure.group_counts @ np.arange(6.0)
    found = choose_model(closure, adds[:, None], ("adds",), estimate="adds", model="auto")
    assert found.name == "features"


def test_either_model_may_be_forced() -> None:
    assert model_of(model="features").name == "features"
    assert model_of(estimate="noise", model="vectors").name == "vectors"


def test_vectors_without_an_estimate_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"'vectors' has no estimate of the property.*option estimate"):
        model_of(estimate="", model="vectors")


def test_vectors_of_one_site_are_refused() -> None:
    designs = make_designs(
        {"x": ["a", "a", "b", "b"], "y": ["p", "q"] * 2}, [0, 1, 2, 3], ["A", "AA", "BBB", "BBBB"], queried="x"
    )
    features = np.arange(4.0)[:, None]
    with pytest.raises(SettingsError, match="one site alone"):
        DesignModel(designs, features, ("t",), estimate="t", model="vectors")
    assert DesignModel(designs, features, ("t",), estimate="t").name == "features"


def test_an_estimate_that_is_no_feature_is_answered_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"no feature 'mu'.*guess, noise"):
        model_of(estimate="mu")


def test_an_estimate_that_does_not_vary_is_refused() -> None:
    features = BED.pool.features.copy()
    features[:, 0] = 0.1  # no sum of tenths is exact
    with pytest.raises(SettingsError, match=r"'guess' is 0\.1 for every candidate"):
        model_of(replace(BED, pool=replace(BED.pool, features=features)))


def test_a_closure_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(design_model, "MOST_CANDIDATES", 50)
    with pytest.raises(SettingsError, match=r"51 candidates.*at most 50"):
        model_of()
