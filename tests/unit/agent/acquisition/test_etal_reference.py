"""The reference mode: the published method to the message, against loops and draws; its rules and its ends."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from agent.acquisition.base import Policy
from agent.acquisition.etal_reference import PublishedEntropyTargeted, is_excluded, published_entropy
from agent.acquisition.registry import make_policy
from agent.acquisition.selection import expected_improvement
from agent.entropy.entropy import differential_entropy, entropy_with_added, expected_entropy_with_added
from agent.surrogate.gaussian_process import fit
from agent.surrogate.standardise import measure_columns
from protocols.errors import SettingsError
from tests.support.biased_worlds import World
from tests.support.references.published_etal import DRAWS, Straightforward, drawn_score, entropy, fitted, latent

reference = PublishedEntropyTargeted()

CASES = 1000
FAR_BELOW = -3.0
"""m lies so many s below h: a score under 4e-4 s, exponentially small in u, of which no linear error speaks."""


def array(*indices: int) -> np.ndarray:
    return np.array(indices, dtype=np.int64)


# ── the score ────────────────────────────────────────────────────────────────────────────────────────────────────


def random_case(rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """Five to 160 values of four kinds, and a prediction from sharp to vague, inside and beyond them."""
    n = int(rng.choice([rng.integers(5, 13), rng.integers(13, 60), rng.integers(60, 160)]))
    two = np.where(rng.random(n) < 0.5, rng.normal(-2.0, 0.3, n), rng.normal(2.0, 0.3, n))
    sample = np.sort([rng.normal(size=n), rng.uniform(0.0, 3.0, n), rng.exponential(size=n), two][rng.integers(4)])
    scale = float(sample.std())
    mean = float(sample.mean()) + scale * float(rng.uniform(-2.5, 2.5))
    return sample, mean, scale * float(10.0 ** rng.uniform(-2.0, 0.3))


def standard_error(sample: np.ndarray, mean: float, std: float, draws: int) -> float:
    """Standard error of the score from so many draws, by the delta method.

    ∂EI/∂m = Φ(u), ∂EI/∂s = φ(u), Var m = s²/N, Var s = (m₄ − s⁴)/4Ns², Cov(m, s) = m₃/2Ns. The moments are sums over
    a fine grid, not over the draws: their own few would miss the rare entropies that carry the spread.
    """
    t = np.linspace(-6.0, 6.0, 1201)
    weights = np.exp(-0.5 * t**2) / np.exp(-0.5 * t**2).sum()
    h = entropy_with_added(sample, mean + std * t)
    m = h @ weights
    s, third, fourth = math.sqrt((h - m) ** 2 @ weights), (h - m) ** 3 @ weights, (h - m) ** 4 @ weights
    u = (m - entropy(sample)) / s
    slope_m, slope_s = stats.norm.cdf(u), stats.norm.pdf(u)
    variance = (slope_m * s) ** 2 + slope_s**2 * (fourth - s**4) / (4 * s**2) + slope_m * slope_s * third / s
    return math.sqrt(variance / draws)


def test_on_1000_random_cases_the_scores_are_those_of_the_published_draws_within_their_own_error() -> None:
    """Difference of the scores over the standard error of the drawn one: distributed as |N(0, 1)| would be."""
    rng = np.random.default_rng(20230413)
    off: list[float] = []
    far_below = 0
    for _ in range(CASES):
        sample, mean, std = random_case(rng)
        present = differential_entropy(sample)
        assert present is not None
        m, s = expected_entropy_with_added(sample, np.array([mean]), np.array([std]))
        ours = float(expected_improvement(m, s, present)[0])
        theirs = drawn_score(sample, mean, std, rng)
        if (m[0] - present) / s[0] < FAR_BELOW:
            far_below += 1
            assert max(ours, theirs) < 1e-3 * s[0] + 1e-9
            continue
        off.append((ours - theirs) / standard_error(sample, mean, std, DRAWS))
    assert far_below < 0.15 * CASES
    found = np.quantile(np.abs(off), [0.5, 0.9, 0.95, 0.99])
    assert found == pytest.approx([0.674, 1.645, 1.960, 2.576], rel=0.12), found
    assert np.max(np.abs(off)) < 4.5
    assert abs(np.mean(off)) < 4.0 / math.sqrt(len(off))  # no bias


@pytest.mark.parametrize("seed", range(4))
def test_the_straightforward_choice_is_as_good_as_the_best_within_the_error_of_its_draws(
    biased: Callable, seed: int
) -> None:
    """Loops and draws aim at the same family, and by one posterior their choice is the best but for noise."""
    world = biased(seed, per_family=60)
    context = world.context(seed=seed)
    theirs = Straightforward().propose(context, 1)
    assert theirs.target_family == reference.propose(context, 1).target_family == "tetragonal"
    of_target = world.pool.family_codes == 1
    labelled = world.start[of_target[world.start]]
    left = context.available[of_target[context.available]]
    model = fitted(world.pool.features[labelled], world.truth[labelled])
    mean, std = np.array([latent(model, world.pool.features[index]) for index in left]).T
    sample, present = np.sort(world.truth[labelled]), differential_entropy(world.truth[labelled])
    assert present is not None
    scores = expected_improvement(*expected_entropy_with_added(sample, mean, std), present)
    chosen = int(np.searchsorted(left, theirs.choices[0].index))
    error = standard_error(sample, mean[chosen], std[chosen], DRAWS)
    assert scores[chosen] > scores.max() - 4.0 * error
    assert theirs.choices[0].score == pytest.approx(scores[chosen], abs=4.0 * error)


def test_the_proposal_has_the_score_of_its_parts(biased: Callable) -> None:
    world = biased(3)
    proposal = reference.propose(world.context(), 1)
    columns, family = measure_columns(world.pool.features), world.pool.family_codes == 1
    labelled = world.start[family[world.start]]
    left = np.setdiff1d(np.flatnonzero(family), labelled)
    gp = fit(columns.apply(world.pool.features[labelled]), world.truth[labelled])
    sample = np.sort(world.truth[labelled])
    after, spread = expected_entropy_with_added(sample, *gp.predict(columns.apply(world.pool.features[left])))
    h = differential_entropy(sample)
    assert h is not None
    scores = expected_improvement(after, spread, h)
    chosen = proposal.choices[0]
    assert (chosen.index, chosen.score) == (left[np.argmax(scores)], pytest.approx(scores.max(), rel=1e-12))
    assert proposal.details["entropy_before"] == h
    assert proposal.details["expected_entropy_after"] == pytest.approx(after[np.argmax(scores)], rel=1e-12)
    assert proposal.reason == (
        f"tetragonal has the lowest entropy (h = {h:.3f} nat, 20 values); expected gain {scores.max():.3f} nat"
    )
    assert proposal.runner_up is not None
    assert proposal.runner_up.score == pytest.approx(np.sort(scores)[-2], rel=1e-12)


def test_features_are_brought_to_one_scale_unless_the_publication_is_wanted_to_the_letter(biased: Callable) -> None:
    world = biased(3)
    world.pool.features[:, 1] *= 1000.0
    scaled, literal = (PublishedEntropyTargeted(standardise=each).propose(world.context(), 1) for each in (True, False))
    (as_before,) = reference.propose(biased(3).context(), 1).choices
    assert scaled.choices[0].index == as_before.index
    assert scaled.choices[0].score == pytest.approx(as_before.score, rel=1e-6)
    assert literal.choices[0].score != pytest.approx(as_before.score, rel=1e-3)


# ── the rules ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_a_policy_by_name_that_needs_a_process_of_its_own_and_asks_for_one_at_a_time(biased: Callable) -> None:
    policy = make_policy("etal_reference", {"patience": 7})
    assert isinstance(policy, Policy)
    assert isinstance(policy, PublishedEntropyTargeted)
    assert not policy.runs_inline
    assert len(policy.propose(biased(0).context(), 8).choices) == 1


def test_the_same_context_gives_the_same_proposal_whatever_came_before(biased: Callable) -> None:
    world = biased(1)
    first = PublishedEntropyTargeted().propose(world.context(seed=1), 1)
    reference.propose(biased(2).context(), 1)
    assert reference.propose(world.context(seed=2), 1) == first


def test_what_is_in_flight_is_not_available_and_changes_nothing_else(biased: Callable) -> None:
    world = biased(1)
    first, second = (reference.propose(world.context(pending=array(*flight)), 1) for flight in ((), (200,)))
    best = first.choices[0].index
    third = reference.propose(world.context(pending=array(best)), 1)
    assert first.choices == second.choices
    assert third.choices == (first.runner_up,)
    assert third.details["entropy_before"] == first.details["entropy_before"]


def test_equal_candidates_fall_to_the_lowest_index(world_of: Callable, biased: Callable) -> None:
    base = biased(4)
    n = len(base.truth)
    twice = world_of(
        np.tile(base.pool.features, (2, 1)), np.tile(base.pool.family_codes, 2), base.pool.families,
        np.tile(base.truth, 2),
    )  # fmt: skip
    left = base.context().available
    winner = reference.propose(base.context(), 1).choices[0].index
    proposal = reference.propose(twice.context(observed=base.start, available=np.concatenate((left, left + n))), 1)
    assert proposal.choices[0].index == winner
    assert proposal.runner_up is not None
    assert proposal.runner_up.index == winner + n


def test_a_miss_is_counted_at_every_step_also_where_the_estimator_changes_its_formula() -> None:
    """A good value at n = 10 → 11 still looks like a loss; the published rule counts it."""
    start = np.random.default_rng(0).normal(size=10)
    best = max(published_entropy(np.sort(np.append(start, y))) for y in np.linspace(start.min(), start.max(), 201))
    assert best < published_entropy(np.sort(start))
    assert is_excluded(start, np.array([0.5 * (start.min() + start.max())]), 1)


@pytest.mark.parametrize(
    ("acquired", "out"),
    [
        ([0.0, 0.0, 0.0, 0.0, 0.0], True),
        ([0.0, 0.0, 0.0, 0.0], False),
        ([0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0], False),  # a gain begins the count again
        ([9.0, 0.0, 0.0, 0.0, 0.0, 0.0], True),
        ([0.0, 0.0, 0.0, 0.0, 0.0, 9.0], True),  # for good: what was in flight does not bring it back
    ],
)
def test_five_misses_in_a_row_leave_a_family_out_for_good(acquired: list[float], out: bool) -> None:
    start = np.linspace(-2.0, 2.0, 30)
    jittered = np.array(acquired) + 1e-4 * np.arange(len(acquired))
    assert is_excluded(start, jittered, 5) is out


def test_an_entropy_that_is_undefined_is_not_raised_and_minus_infinity_is() -> None:
    assert math.isnan(published_entropy(np.arange(4.0)))
    assert published_entropy(np.zeros(6)) == -math.inf
    assert is_excluded(np.arange(4.0), np.array([4.0]), 1)  # NaN → a number
    tied = np.array([0.0, 0.0, 0.0, 0.0, 5.0, 9.0, 12.0, 20.0])  # m = 3: h = −inf
    spread = np.array([1.0, 2.0, 3.0, 4.0, 4.5])  # m = 4 from 13 values on: h is finite
    assert published_entropy(tied) == -math.inf
    assert math.isfinite(published_entropy(np.sort(np.concatenate((tied, spread)))))
    assert not is_excluded(tied, spread, 5)


def crowded(world_of: Callable, families: tuple[int, ...]) -> tuple[World, np.ndarray, np.ndarray]:
    """Families b < c < a by entropy, 64 values each; the latest six of some lie in the middle of their values."""
    rng = np.random.default_rng(11)
    truth = np.concatenate([scale * rng.normal(size=100) for scale in (1.0, 0.1, 0.5)])
    start = np.concatenate([np.arange(100 * code, 100 * code + 64) for code in range(3)])
    late = np.array([100 * code + 64 + i for code in families for i in range(6)], dtype=np.int64)
    for code in families:
        middle = float(np.median(truth[100 * code : 100 * code + 64]))
        truth[100 * code + 64 : 100 * code + 70] = middle + 1e-6 * np.arange(6)
    features = np.column_stack((truth, rng.normal(size=300)))
    return world_of(features, np.repeat([0, 1, 2], 100), ("a", "b", "c"), truth), start, late


def test_a_family_that_is_left_out_gives_way_to_the_next_poorest(world_of: Callable) -> None:
    world, start, late = crowded(world_of, (1,))
    known = np.concatenate((start, late[:5]))
    assert reference.propose(world.context(observed=start, acquired=late[:4]), 1).target_family == "b"
    assert reference.propose(world.context(observed=start, acquired=late[:5]), 1).target_family == "c"
    manually = reference.propose(world.context(observed=known), 1)  # the same values, not acquired
    assert manually.target_family == "b"
    patient = PublishedEntropyTargeted(patience=6)
    assert patient.propose(world.context(observed=start, acquired=late[:5]), 1).target_family == "b"


def test_a_family_without_candidates_or_without_a_defined_entropy_is_not_aimed_at(world_of: Callable) -> None:
    world, start, _ = crowded(world_of, ())
    others = np.concatenate((np.arange(64, 100), np.arange(264, 300)))
    assert reference.propose(world.context(observed=start, available=others), 1).target_family == "c"
    few = start[(start < 100) | (start >= 200) | (start < 104)]  # b has four values
    assert reference.propose(world.context(observed=few), 1).target_family == "c"
    world.truth[100:164] = 0.0  # and now as many equal ones as there are
    assert reference.propose(world.context(observed=start), 1).target_family == "c"


# ── the ends ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_ends_when_every_family_with_candidates_is_left_out(world_of: Callable) -> None:
    world, start, late = crowded(world_of, (0, 1, 2))
    proposal = reference.propose(world.context(observed=start, acquired=late), 1)
    assert proposal.choices == ()
    assert proposal.reason == (
        "no family with candidates is left: 3 brought no gain 5 times in a row, 0 without a defined entropy"
    )


def test_it_ends_when_no_family_has_a_defined_entropy(biased: Callable) -> None:
    proposal = reference.propose(biased(0).context(observed=array(0, 1, 200)), 1)
    assert proposal.choices == ()
    assert proposal.reason.endswith("0 brought no gain 5 times in a row, 3 without a defined entropy")


def test_it_ends_when_the_only_family_left_is_the_richest_already(world_of: Callable) -> None:
    world, start, late = crowded(world_of, (1, 2))
    proposal = reference.propose(world.context(observed=start, acquired=late), 1)
    assert proposal.choices == ()
    assert proposal.reason.startswith("a alone is left, and it is the richest already (h = 1.")
    assert proposal.details == {"families_left": 1.0}


def test_it_goes_on_with_the_only_family_left_while_another_is_richer(world_of: Callable) -> None:
    world, start, late = crowded(world_of, (1,))
    available = np.arange(270, 300)
    proposal = reference.propose(world.context(observed=start, acquired=late, available=available), 1)
    assert proposal.target_family == "c"


@pytest.mark.parametrize("options", [{"patience": 0}, {"patience": True}, {"standardise": 1}, {"standardise": "no"}])
def test_a_wrong_option_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="The policy option"):
        make_policy("etal_reference", options)


def test_a_whole_campaign_ends_by_a_published_rule_and_its_reason_is_the_campaigns(biased: Callable) -> None:
    """Through the core: the budget is larger than what the method asks for."""
    from agent.campaign import proposals
    from agent.campaign.events import PolicyExhausted
    from agent.pool.candidates import Candidate, make_pool
    from tests.support.campaigns import Play, small_plan, value_of

    rng = np.random.default_rng(0)
    members = [Candidate(f"c{i:03d}", f"family-{i % 2}") for i in range(60)]
    pool = make_pool(members, rng.normal(size=(60, 2)), ["x", "y"])
    played = Play(pool, small_plan(pool, budget=60), [f"c{i:03d}" for i in range(24)], reference.propose)
    assert len({value_of(each.candidate_id) for each in members}) == 60
    played.settle()
    while played.awaited:
        played.answer(played.awaited[0])
    (ended,) = played.of_kind(PolicyExhausted)
    assert ended.reason.startswith(("no family with candidates is left", "family-"))
    assert played.campaign.finish_reason == f"the policy has nothing more to ask for: {ended.reason}"
    assert proposals.decision_needed(played.campaign) is None
