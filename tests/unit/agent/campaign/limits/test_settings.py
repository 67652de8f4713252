"""The section is one for people; what decides is kept in the journal, and the pace may be another with every start."""

from __future__ import annotations

from agent.campaign.limits.pace import PaceLimits
from agent.campaign.limits.settings import LimitedSettings, LimitSettings
from agent.pool.limits.settings import AskingLimits, Supply

LIMITS = LimitSettings.model_validate(
    {
        "forbidden_elements": ["Pb"], "cost": {"available": 4, "per_request": 1}, "requests_per_hour": 3,
        "hours": ["08:00-18:00"], "time_zone": "UTC",
    }
)  # fmt: skip


def test_what_decides_and_what_delays_are_told_apart() -> None:
    cost = Supply(available=4, per_request=1)
    assert LIMITS.asking == AskingLimits(forbidden_elements=("Pb",), cost=cost)
    assert LIMITS.pace == PaceLimits(requests_per_hour=3, hours=("08:00-18:00",), time_zone="UTC")
    assert set(LimitSettings.model_fields) == {*AskingLimits.model_fields, *PaceLimits.model_fields}


def test_a_copy_of_settings_keeps_the_limits_around_them() -> None:
    settings = LimitedSettings()
    assert not settings.limits.is_limiting
    settings.take_limits(LIMITS)
    assert settings.model_copy().limits is LIMITS
