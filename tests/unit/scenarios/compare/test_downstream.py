"""Downstream models: better rows give better scores, unknown targets are left out, and too few rows are refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error, r2_score

from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.errors import TableError
from scenarios.compare.downstream import Target, require_rows, scored_observations, scores_of
from scenarios.compare.models import FOREST_TREES, make_model
from scenarios.compare.trials import Trial
from scenarios.settings.models import MODEL_NAMES, ModelName

RANDOM = np.random.default_rng(6)
COUNT = 400
FEATURES = RANDOM.uniform(-2, 2, size=(COUNT, 2))
VALUES = np.sin(2 * FEATURES[:, 0]) + FEATURES[:, 0] + 0.3 * FEATURES[:, 1]
FAMILIES = ("left", "right", "rim")
CODES = np.where(np.arange(COUNT) % 60 == 7, 2, FEATURES[:, 0] > 0)


def pool_of(features: np.ndarray) -> Pool:
    names = tuple(f"f{column}" for column in range(features.shape[1]))
    return make_pool([Candidate(f"c{i:04d}", FAMILIES[CODES[i]]) for i in range(COUNT)], features, names)


POOL = pool_of(FEATURES)
TARGET = Target("height", "m", VALUES)
TEST = np.arange(60)
CORNER = np.flatnonzero((FEATURES[:, 0] < -1) & (np.arange(COUNT) >= 60))
START = CORNER[:15]
NARROW = CORNER[15:45]
"""More of the corner that the start set is from: all that a poor policy asks for."""
WIDE = np.setdiff1d(np.arange(60, COUNT), CORNER[:45])[:30]
"""As many rows from everywhere."""
TRIAL = Trial(0, START, TEST)


def last_score(acquired: np.ndarray, model: ModelName, target: Target = TARGET) -> tuple[float, float]:
    *_, last = scores_of(POOL, target, TRIAL, acquired, model=model, every=1000, common=1000)
    return last.r2, last.mae


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_rows_from_everywhere_are_worth_more_than_as_many_from_a_corner(model: ModelName) -> None:
    (narrow_r2, narrow_mae), (wide_r2, wide_mae) = last_score(NARROW, model), last_score(WIDE, model)
    assert wide_r2 > narrow_r2 + 0.1
    assert wide_mae < narrow_mae


def test_scores_are_those_of_the_rows_in_the_order_of_acquisition() -> None:
    scores = list(scores_of(POOL, TARGET, TRIAL, WIDE, model="random_forest", every=12, common=1000))
    assert [score.acquired for score in scores] == [0, 12, 24, 30]
    assert [score.training_rows for score in scores] == [15, 27, 39, 45]
    rows = np.concatenate([START, WIDE[:24]])
    forest = RandomForestRegressor(n_estimators=FOREST_TREES, random_state=0).fit(FEATURES[rows], VALUES[rows])
    predicted = forest.predict(FEATURES[TEST])
    assert scores[2].r2 == r2_score(VALUES[TEST], predicted)
    assert scores[2].mae == mean_absolute_error(VALUES[TEST], predicted)


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_model_is_the_same_again_for_the_same_seed(model: ModelName) -> None:
    assert last_score(WIDE, model) == last_score(WIDE, model)


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_units_do_not_change_what_is_explained(model: ModelName) -> None:
    in_micrometres = Target("height", "µm", VALUES * 1e6)
    r2, mae = last_score(WIDE, model)
    # Trees break ties between equal splits by rounding, so a per cent is what can be asked of them.
    assert last_score(WIDE, model, in_micrometres) == (pytest.approx(r2, rel=0.01), pytest.approx(1e6 * mae, rel=0.01))


@pytest.mark.parametrize("model", ["kernel_ridge", "ridge", "nearest_neighbours"])
def test_a_feature_in_large_numbers_does_not_drown_the_others(model: ModelName) -> None:
    stretched = FEATURES * [1.0, 1e6]
    *_, plain = scores_of(POOL, TARGET, TRIAL, WIDE, model=model, every=1000, common=1000)
    *_, scaled = scores_of(pool_of(stretched), TARGET, TRIAL, WIDE, model=model, every=1000, common=1000)
    assert scaled.r2 == pytest.approx(plain.r2, rel=1e-6)


def test_families_are_scored_by_themselves_where_they_have_rows_enough() -> None:
    *_, last = scores_of(POOL, TARGET, TRIAL, WIDE, model="ridge", every=1000, common=1000)
    model = make_model("ridge", 0).fit(FEATURES[[*START, *WIDE]], VALUES[[*START, *WIDE]])
    assert [each.family for each in last.families] == ["left", "right"]  # one row of the rim is none
    for code, each in enumerate(last.families):
        rows = TEST[CODES[TEST] == code]
        predicted = model.predict(FEATURES[rows])
        assert (each.test_rows, each.r2) == (len(rows), pytest.approx(r2_score(VALUES[rows], predicted)))
        assert each.mae == pytest.approx(mean_absolute_error(VALUES[rows], predicted))
    assert last.worst_r2 == min(each.r2 for each in last.families if each.r2 is not None)
    assert last.worst_mae == max(each.mae for each in last.families)


def test_a_family_of_one_value_has_an_error_and_no_share_explained() -> None:
    flat = VALUES.copy()
    flat[CODES == 1] = 0.25
    *_, last = scores_of(POOL, Target("height", "m", flat), TRIAL, WIDE, model="ridge", every=1000, common=1000)
    assert [(each.family, each.r2 is None) for each in last.families] == [("left", False), ("right", True)]
    assert last.worst_r2 == last.families[0].r2


def test_a_constant_feature_is_no_fault() -> None:
    features = np.column_stack([FEATURES, np.ones(COUNT)])
    for model in MODEL_NAMES:
        assert np.isfinite(make_model(model, 0).fit(features[START], VALUES[START]).predict(features[TEST])).all()


def test_rows_without_the_target_are_neither_trained_on_nor_scored() -> None:
    holey = VALUES.copy()
    holey[[*START[:3], *WIDE[:5], *TEST[:10]]] = np.nan
    *_, last = scores_of(POOL, Target("height", "m", holey), TRIAL, WIDE, model="ridge", every=1000, common=1000)
    assert (last.acquired, last.training_rows, last.test_rows) == (30, 37, 50)
    without = Trial(0, START[3:], TEST[10:])
    *_, same = scores_of(POOL, TARGET, without, WIDE[5:], model="ridge", every=1000, common=1000)
    assert last.r2 == same.r2


@pytest.mark.parametrize(
    ("acquired", "every", "common", "expected"),
    [
        (10, 4, 10, (0, 4, 8, 10)),
        (8, 4, 8, (0, 4, 8)),
        (3, 50, 3, (0, 3)),
        (0, 5, 0, (0,)),
        (2, 1, 2, (0, 1, 2)),
        (10, 4, 5, (0, 4, 5, 8, 10)),
    ],
)
def test_start_and_end_are_always_scored_and_where_the_first_policy_ended(
    acquired: int, every: int, common: int, expected: tuple[int, ...]
) -> None:
    assert scored_observations(acquired, every, common) == expected


def test_a_start_set_in_which_the_target_is_hardly_known_is_refused() -> None:
    holey = VALUES.copy()
    holey[START[:6]] = np.nan
    with pytest.raises(
        TableError, match=r"start set of seed 0 has 9 rows with a known 'height'.*at least 10.*start\.si"
    ):
        require_rows([TARGET, Target("height", "m", holey)], [TRIAL])


def test_a_test_set_in_which_the_target_is_hardly_known_is_refused() -> None:
    with pytest.raises(TableError, match=r"test set of seed 7 has 9 rows .*at least 10.*test_fraction"):
        require_rows([TARGET], [TRIAL, Trial(7, START, TEST[:9])])


def test_test_rows_of_one_value_are_refused() -> None:
    flat = VALUES.copy()
    flat[TEST] = 2.5
    with pytest.raises(TableError, match=r"All 60 test rows of seed 0 have height = 2\.5"):
        require_rows([Target("height", "m", flat)], [TRIAL])
    require_rows([TARGET], [TRIAL])
