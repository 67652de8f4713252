"""Who says nothing of itself is taken for real, and a lab's own messages are nobody's simulation."""

from __future__ import annotations

from agent.campaign.limits.live import why_real


def test_a_lab_is_simulated_only_where_all_of_it_says_so() -> None:
    assert why_real({"one": True, "other": True}) == ""
    assert why_real({"one": True, "other": False}) == "other says that it is not simulated"
    assert why_real({"one": True, "other": None}) == "other does not say that it is simulated"


def test_a_section_for_a_labs_own_messages_means_a_real_one_whatever_is_said() -> None:
    assert "[lab]" in why_real({"one": True}, has_lab_section=True)
