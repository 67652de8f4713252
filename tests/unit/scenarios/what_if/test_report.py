"""A what-if's folder says which campaign it is of, and which policy was asked."""

from __future__ import annotations

from scenarios.what_if.report import folder_name


def test_a_folder_is_named_by_campaign_and_policy() -> None:
    assert folder_name("lab", "random") == "what-if-lab-random"
    assert folder_name("lab", "my.policies:Own") == "what-if-lab-my-policies-own"
