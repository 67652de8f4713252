"""Whether a campaign drives a real lab, by what is known of its instruments: a pure rule."""

from __future__ import annotations

from collections.abc import Mapping

Known = Mapping[str, bool | None]
"""Instrument -> whether it calls itself simulated; None where it has said nothing."""


def why_real(instruments: Known, *, has_lab_section: bool = False) -> str:
    """Return why a lab counts as real, in words; empty where all of it calls itself simulated.

    Args:
        instruments: What is known of those that are asked. Who says nothing of itself is taken for real.
        has_lab_section: Whether the scenario translates a lab's own messages: nobody simulates those for a campaign.
    """
    if has_lab_section:
        return "the scenario has a [lab] section: it drives a lab by the lab's own messages"
    for name, simulated in sorted(instruments.items()):
        if simulated is None:
            return f"{name} does not say that it is simulated"
        if not simulated:
            return f"{name} says that it is not simulated"
    return ""
