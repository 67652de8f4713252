"""The campaign's terms are checked once, and become the plan unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agent.campaign.plan import MAX_PARALLEL, CampaignPlan, CampaignPlanSettings, Ordering
from agent.entropy.measure import RESOLUTION_WITHOUT_VALUES, EntropyMeasure
from agent.settings import CampaignSettings
from tests.support.campaigns import small_pool

POOL = small_pool()

LEAST: dict[str, Any] = {"property": "gap", "unit": "eV", "budget": 10}


def made(**changes: Any) -> CampaignSettings:
    return CampaignSettings.model_validate(LEAST | changes)


def test_property_unit_and_budget_are_enough_and_decisions_are_reproducible_by_default() -> None:
    settings = made()
    assert (settings.policy, settings.parallel, settings.ordering) == ("gap_gain", 1, Ordering.IN_ORDER)
    assert settings.evaluation_deadline_s < settings.request_timeout_s


@pytest.mark.parametrize("missing", LEAST)
def test_each_of_them_is_needed(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        CampaignSettings.model_validate({name: value for name, value in LEAST.items() if name != missing})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"budget": 0}, "budget"),
        ({"budget": -3}, "budget"),
        ({"parallel": 0}, "parallel"),
        ({"parallel": MAX_PARALLEL + 1}, "parallel"),
        ({"batch": 2}, r"batch = 2 is more than parallel = 1"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"give_up_after": 0}, "give_up_after"),
        ({"request_timeout_s": 0}, "request_timeout_s"),
        ({"request_timeout_s": float("inf")}, "request_timeout_s"),
        ({"evaluation_deadline_s": float("nan")}, "evaluation_deadline_s"),
        ({"valid_range": (1.0, 1.0)}, "is empty"),
        ({"valid_range": (2.0, 1.0)}, r"valid_range = \[2.0, 1.0\] is empty"),
        ({"valid_range": (float("nan"), 1.0)}, "valid_range"),
        ({"ordering": "by_mood"}, "ordering"),
        ({"recipients": ["no/slash"]}, "recipients"),
        ({"property": ""}, "property"),
        ({"estimator": "knn"}, "estimator"),
        ({"resolution": 0.0}, "resolution"),
        ({"resolution": -1e-3}, "resolution"),
        ({"resolution": float("nan")}, "resolution"),
        ({"resolution": float("inf")}, "resolution"),
        ({"budgte": 3}, "budgte"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        made(**changes)


def test_the_plan_says_what_the_settings_say() -> None:
    settings = made(
        parallel=8, batch=3, ordering="as_completed", seed=5, max_attempts=4, give_up_after=6, valid_range=[0, 9],
        policy="etal", policy_options={"lengthscales": "one"}, estimator="gaussian_kernel", resolution=0.25,
    )  # fmt: skip
    plan = settings.plan(campaign="demo", uid="u", fingerprint="f", recipients=("s",), pool=POOL)
    assert plan == CampaignPlan(
        campaign="demo", uid="u", property_name="gap", unit="eV", valid_range=(0.0, 9.0), budget=10, parallel=8,
        batch=3, ordering=Ordering.AS_COMPLETED, max_attempts=4, give_up_after=6, seed=5, policy="etal",
        policy_options={"lengthscales": "one"}, fingerprint="f", recipients=("s",), pool_digest=POOL.digest,
        estimator="gaussian_kernel", resolution=0.25,
    )  # fmt: skip
    assert plan.measure == EntropyMeasure("gaussian_kernel", 0.25)


@pytest.mark.parametrize(
    ("start", "resolution"),
    [
        ([1.0, 3.0, 1.0, 3.0], 1e-3),
        ([-1.0, 1.0] * 20 + [1e6], pytest.approx(2e-3 / 1.34)),  # the quartiles do not see an outlier
        ([-2.0, 2.0, -2.0, 2.0], 2e-3),
        ([], RESOLUTION_WITHOUT_VALUES),
        ([5.0], 1e-3),
        ([2, 2], 1e-3),
    ],
)
def test_a_resolution_left_open_is_a_thousandth_of_the_deviation_of_the_start(
    start: list[float], resolution: float
) -> None:
    plan = made().plan(campaign="demo", uid="u", fingerprint="f", recipients=("s",), pool=POOL, start_values=start)
    assert plan.estimator == "m_spacing"
    assert plan.resolution == resolution


@pytest.mark.parametrize("name", sorted(set(CampaignPlanSettings.model_fields) - {"resolution"}))
def test_every_setting_that_a_journal_keeps_is_a_part_of_the_plan_under_its_own_name(name: str) -> None:
    settings = made(
        parallel=3, batch=2, ordering="as_completed", seed=5, policy="etal", policy_options={"lengthscales": "one"}
    )
    plan = settings.plan(campaign="demo", uid="u", fingerprint="f", recipients=("s",), pool=POOL)
    assert getattr(plan, name) == getattr(settings, name)


def test_what_nobody_asked_for_is_left_open() -> None:
    assert made().left_open() == {"estimator", "resolution"}
    assert made(estimator="m_spacing", resolution=None).left_open() == {"resolution"}
    assert made(estimator="published", resolution=0.1).left_open() == set()


@pytest.mark.parametrize(
    ("parallel", "batch", "lag"), [(1, 1, 1), (4, 1, 4), (4, 2, 2), (5, 2, 2), (4, 3, 1), (3, 3, 1)]
)
def test_the_lag_is_how_many_whole_decisions_fit_in_flight(parallel: int, batch: int, lag: int) -> None:
    plan = made(parallel=parallel, batch=batch).plan(
        campaign="demo", uid="u", fingerprint="f", recipients=("s",), pool=POOL
    )
    assert plan.lag == lag
    assert plan.model_copy(update={"parallel": 1, "batch": 1}).lag == 1
