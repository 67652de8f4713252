"""A growing process against one made at once, kept against streamed, and when it fits again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agent.surrogate import covariances, gaussian_process, growing, queries
from agent.surrogate.covariances import KeptColumns, StreamedColumns
from agent.surrogate.errors import SurrogateError
from agent.surrogate.gaussian_process import Hyperparameters
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.hyperparameters import Fit, fit_hyperparameters
from agent.surrogate.pending_conditioned import PendingConditioned
from agent.surrogate.prior import PosteriorModeFit
from agent.surrogate.queries import Queries
from agent.surrogate.standardise import measure_columns

ROWS, POOL = 40, 160


class Table:
    """A smooth function with a little noise over a pool; the first rows are the training set."""

    def __init__(self, seed: int, d: int = 4) -> None:
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(POOL, d))
        self.columns = measure_columns(features)
        self.features = features
        self.X = self.columns.apply(features)
        self.y = 5.0 + 2.0 * np.sin(features[:, 0]) + features[:, 1] + rng.normal(scale=0.05, size=POOL)

    def queries(self) -> Queries:
        return Queries(self.features, np.arange(0, POOL, 2), self.columns)

    def grown(self, rows: int, further: int, growth: GrowthSettings | None = None) -> GrowingGP:
        process = GrowingGP(self.queries(), self.X[:rows], self.y[:rows], growth or GrowthSettings())
        for row in range(rows, rows + further):
            process.append(self.X[row], float(self.y[row]))
        return process


def at_once(process: GrowingGP, X: np.ndarray, y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior of `gaussian_process` with the hyper-parameters and the scale of a growing one."""
    scaled = X / process.lengthscales
    # A value at the centre and values around it give the same mean and deviation of y as the growing process has.
    z = (y - process.centre) / process.scale
    hyper = Hyperparameters(1.0, process.signal, process.noise)
    posterior = gaussian_process._posterior(scaled, z, process.centre, process.scale, hyper)
    return posterior.predict(at / process.lengthscales)


@pytest.mark.parametrize("ard", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_process_that_grew_is_the_posterior_of_all_rows_at_once(seed: int, ard: bool) -> None:
    table = Table(seed)
    process = table.grown(ROWS, 3, GrowthSettings(ard=ard))
    assert process.n_fits == 1
    mean, std = at_once(process, table.X[: ROWS + 3], table.y[: ROWS + 3], table.X[::2])
    grown_mean, grown_std = process.predict()
    assert grown_mean == pytest.approx(mean, abs=1e-8)
    assert grown_std == pytest.approx(std, abs=1e-6)


def test_before_it_grows_it_is_the_process_that_is_fitted_at_once() -> None:
    table = Table(0)
    process, posterior = table.grown(ROWS, 0), gaussian_process.fit(table.X[:ROWS], table.y[:ROWS])
    assert process.lengthscale == pytest.approx(posterior.hyperparameters.lengthscale)
    assert process.noise_std == pytest.approx(posterior.noise_std)
    for ours, theirs in zip(process.predict(), posterior.predict(table.X[::2]), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("further", [3, 25])
def test_covariances_computed_anew_give_what_kept_ones_do(further: int) -> None:
    table = Table(1)
    kept, streamed = table.grown(ROWS, further), table.grown(ROWS, further, GrowthSettings(memory_bytes=0))
    assert isinstance(kept.columns, KeptColumns)
    assert isinstance(streamed.columns, StreamedColumns)
    assert kept.n_fits == streamed.n_fits
    for ours, theirs in zip(kept.predict(), streamed.predict(), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-7)


@pytest.mark.parametrize("memory_bytes", [1 << 30, 0])
def test_single_precision_is_near_double(memory_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Means to a thousandth of the deviation of the values, deviations to a hundredth of it, below the noise."""
    table, growth = Table(2), GrowthSettings(memory_bytes=memory_bytes)
    double = table.grown(ROWS, 3, growth)
    monkeypatch.setattr(queries, "SINGLE_PRECISION_FROM", 0)
    single = table.grown(ROWS, 3, growth)
    assert single._queries.dtype is np.float32
    (mean, std), (single_mean, single_std) = double.predict(), single.predict()
    assert single_mean == pytest.approx(mean, abs=1e-3 * double.scale)
    with_noise, single_with_noise = (np.hypot(s, double.noise_std) for s in (std, single_std))
    assert single_with_noise == pytest.approx(with_noise, abs=1e-2 * double.noise_std)


@pytest.mark.parametrize("memory_bytes", [1 << 30, 0])
@pytest.mark.parametrize("fit", [None, PosteriorModeFit(groups=0)])
def test_what_grew_in_steps_has_the_bits_of_what_is_folded_at_once(memory_bytes: int, fit: Fit | None) -> None:
    """Resume stands on it: a fold over the same rows, whenever its results were looked at, and whatever was asked."""
    table, growth = Table(3, d=9), GrowthSettings(memory_bytes=memory_bytes, fit=fit)
    lived = table.grown(10, 0, growth)
    for row in range(10, 90):
        lived.append(table.X[row], float(table.y[row]))
        lived.predict()
        PendingConditioned(lived).extend(np.asfortranarray(table.X[row + 3 : row + 6]))
        PendingConditioned(lived).extend(table.X[[row + 1]])
    again = table.grown(10, 80, growth)
    assert lived.n_fits == again.n_fits > 3
    for ours, theirs in zip(lived.predict(), again.predict(), strict=True):
        assert ours.tolist() == theirs.tolist()
    in_flight = [PendingConditioned(each) for each in (lived, again)]
    for each in in_flight:
        each.extend(table.X[90:94])
    assert in_flight[0].variance.tolist() == in_flight[1].variance.tolist()


def test_what_is_kept_for_rows_in_flight_has_an_end_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(3)
    kept = table.grown(ROWS, 3)
    assert isinstance(kept.columns, KeptColumns)
    PendingConditioned(kept).extend(table.X[60:70])
    monkeypatch.setattr(covariances, "AHEAD_BYTES", 3 * len(table.queries()) * 8)
    few = table.grown(ROWS, 3)
    assert isinstance(few.columns, KeptColumns)
    PendingConditioned(few).extend(table.X[60:70])
    assert len(few.columns._ahead) <= 3 < len(kept.columns._ahead)
    ends = [PendingConditioned(each) for each in (kept, few)]
    for each in ends:
        each.extend(table.X[60:64])
    assert ends[0].variance.tolist() == ends[1].variance.tolist()


def test_it_fits_again_after_a_tenth_of_new_rows_and_not_before() -> None:
    """And after five rows at least."""
    table = Table(7)
    large = table.grown(100, 0)
    fits = []
    for row in range(100, 121):
        large.append(table.X[row], float(table.y[row]))
        fits.append(large.n_fits)
    assert fits == [1] * 9 + [2] * 11 + [3]  # 100 + 10, then 110 + 11
    assert [table.grown(10, k).n_fits for k in (4, 5, 9, 10)] == [1, 2, 2, 3]


def test_it_fits_again_when_the_function_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows far from what was expected are enough; three as expected are not."""
    table = Table(8)
    assert table.grown(100, 4).n_fits == 1
    table.y[100:] += 20.0
    assert table.grown(100, 2).n_fits == 1
    surprised = table.grown(100, 4)
    assert surprised.n_fits == 2
    monkeypatch.setattr(growing, "SURPRISE_DEVIATIONS", math.inf)
    assert table.grown(100, 4).n_fits == 1


FOLLOWED = GrowthSettings(fit=PosteriorModeFit(groups=0))
"""Fitted in parts."""


def test_a_fit_in_parts_is_begun_by_one_row_and_taken_by_one_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty rows are few enough for all iterations at once; with two at a time it takes as many rows more."""
    table = Table(3)
    assert [table.grown(ROWS, k, FOLLOWED).n_fits for k in (5, 6)] == [1, 2]
    monkeypatch.setattr(growing, "SEARCH_WORK", 0)
    fits = [table.grown(ROWS, k, FOLLOWED).n_fits for k in range(4, 14)]
    assert fits[:3] == [1, 1, 1]
    assert fits[-1] == 2


def test_until_a_fit_in_parts_has_ended_the_process_goes_on_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "SEARCH_WORK", 0)
    table = Table(3)
    process = table.grown(ROWS, 6, FOLLOWED)
    assert process._search is not None
    assert not process._search.has_ended
    mean, std = at_once(process, table.X[: ROWS + 6], table.y[: ROWS + 6], table.X[::2])
    assert process.predict()[0] == pytest.approx(mean, abs=1e-8)
    assert process.predict()[1] == pytest.approx(std, abs=1e-6)


def test_a_fit_in_parts_ends_where_the_one_at_once_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the rows that were there when it was begun."""
    monkeypatch.setattr(growing, "SEARCH_WORK", 0)
    table = Table(4)
    process = table.grown(ROWS, 0, FOLLOWED)
    first = process._fitted
    rows = ROWS
    while process.n_fits == 1:
        process.append(table.X[rows], float(table.y[rows]))
        rows += 1
    begun = ROWS + 5
    at_once_ = PosteriorModeFit(groups=0)(table.X[:begun], table.y[:begun], np.zeros(begun), first)
    assert process.lengthscales == pytest.approx(at_once_.lengthscales, rel=1e-9)
    assert process.noise == pytest.approx(at_once_.noise_variance, rel=1e-9)


def test_a_fit_that_does_not_end_is_taken_when_there_is_no_room_for_more_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "SEARCH_WORK", 0)
    monkeypatch.setattr(growing, "LEAST_ITERATIONS", 0)
    process = Table(3).grown(ROWS, 30, FOLLOWED)
    assert process.n_fits == 2
    assert np.isfinite(process.predict()[0]).all()


def test_of_too_many_rows_it_keeps_the_latest_half_and_an_even_spread_of_the_others() -> None:
    table = Table(9)
    process = table.grown(100, 10, GrowthSettings(max_rows=20))
    assert process.n_fits == 3  # after five rows, and five more
    kept = {tuple(row) for row in process.X * process.lengthscales}
    latest = [tuple(row) for row in (table.X[100:110] / process.lengthscales) * process.lengthscales]
    assert len(process.X) == 20
    assert kept.issuperset(latest)
    spread = np.flatnonzero([tuple((x / process.lengthscales) * process.lengthscales) in kept for x in table.X[:100]])
    assert spread.tolist() == list(range(0, 100, 10))


def test_hyper_parameters_are_fitted_on_as_many_rows_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = fit_hyperparameters

    def spy(X: np.ndarray, y: np.ndarray, **options: object) -> object:
        asked.append(len(y))
        return original(X, y, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(growing, "fit_hyperparameters", spy)
    process = Table(10).grown(60, 6, GrowthSettings(max_fit_rows=12))
    assert asked == [12, 12]
    assert len(process.X) == 66


def test_a_matrix_that_no_jitter_mends_ends_with_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Growing needs no jitter, as δ² is the noise at least; at a fit the ladder has an end."""
    monkeypatch.setattr(gaussian_process, "JITTERS", (-3.0,))
    with pytest.raises(SurrogateError, match=r"no Cholesky factor.*What to do"):
        Table(0).grown(ROWS, 0)


@pytest.mark.parametrize("memory_bytes", [1 << 30, 0])
def test_repeated_rows_and_equal_values_keep_it_finite(memory_bytes: int) -> None:
    """The same row over and over, with one value and with others."""
    table, growth = Table(0), GrowthSettings(memory_bytes=memory_bytes)
    X = np.repeat(table.X[:2], 10, axis=0)
    for y in (np.full(20, 0.7), np.arange(20.0)):
        process = GrowingGP(table.queries(), X[:8], y[:8], growth)
        for row, value in zip(X[8:], y[8:], strict=True):
            process.append(row, float(value))
        mean, std = process.predict()
        assert np.isfinite(mean).all()
        assert (std >= 0.0).all()
        assert np.isfinite(std).all()


@pytest.mark.parametrize("memory_bytes", [1 << 30, 0])
@pytest.mark.parametrize("ard", [False, True])
def test_without_a_feature_that_varies_all_queries_are_alike(memory_bytes: int, ard: bool) -> None:
    features = np.ones((30, 3))
    columns = measure_columns(features)
    queries_ = Queries(features, np.arange(30), columns)
    X, y = columns.apply(features), np.random.default_rng(0).normal(size=30)
    process = GrowingGP(queries_, X[:8], y[:8], GrowthSettings(ard=ard, memory_bytes=memory_bytes))
    for row in range(8, 20):
        process.append(X[row], float(y[row]))
    mean, std = process.predict()
    assert mean == pytest.approx(np.full(30, mean[0]))
    assert std == pytest.approx(np.full(30, std[0]))
    assert process.lengthscale == 1.0


@pytest.mark.parametrize(("X", "y"), [(np.full((5, 4), np.nan), np.ones(5)), (np.ones((0, 4)), np.ones(0))])
def test_rows_that_are_no_training_set_are_refused(X: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(SurrogateError):
        GrowingGP(Table(0).queries(), X, y, GrowthSettings())


def test_values_of_known_uncertainty_count_with_it() -> None:
    """As the textbook has it: K + σ_n² I + diag(std²), from the first rows and from those that came since."""
    table = Table(5)
    stds = np.where(np.arange(POOL) % 3, 0.0, 0.8)
    process = GrowingGP(table.queries(), table.X[:ROWS], table.y[:ROWS], GrowthSettings(), stds[:ROWS])
    for row in range(ROWS, ROWS + 3):
        process.append(table.X[row], float(table.y[row]), float(stds[row]))
    assert process.n_fits == 1
    n = ROWS + 3
    scaled = table.X / process.lengthscales
    K = process.signal * np.exp(-0.5 * np.square(scaled[:, None] - scaled).sum(axis=2))
    noisy = K[:n, :n] + np.diag(process.noise + np.square(stds[:n] / process.scale))
    exact = K[::2, :n] @ np.linalg.solve(noisy, (table.y[:n] - process.centre) / process.scale)
    left = process.signal - np.einsum("ij,ji->i", K[::2, :n], np.linalg.solve(noisy, K[:n, ::2]))
    mean, std = process.predict()
    assert mean == pytest.approx(process.centre + process.scale * exact, abs=1e-7)
    assert std == pytest.approx(process.scale * np.sqrt(np.maximum(left, 0.0)), abs=1e-5)
