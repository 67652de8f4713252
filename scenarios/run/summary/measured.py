"""What the results of a run brought beside their values, in a line."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from agent.campaign.events import Event, ResultAccepted


def brought_in_words(events: Iterable[Event], unit: str) -> str:
    """Return how well values are known, and what else came with them; empty where nothing did.

    Args:
        events: The journal.
        unit: Of the campaign's property.
    """
    results = [event for event in events if isinstance(event, ResultAccepted)]
    known = [event.standard_deviation for event in results if event.standard_deviation]
    files = sum(len(event.files) for event in results)
    told = (
        (
            len(known),
            f"with an uncertainty (median {statistics.median(known):.2g} {unit}".rstrip() + ")" if known else "",
        ),
        (sum(bool(event.replicates) for event in results), "with single measurements"),
        (sum(bool(event.conditions) for event in results), "with conditions"),
        (sum(bool(event.remarks) for event in results), "with remarks"),
        (sum(bool(event.files) for event in results), f"with links to {files} raw file{'s' * (files != 1)}"),
    )
    words = [f"{count} {what}" for count, what in told if count]
    return f"of {len(results)} results came {', '.join(words)}" if words else ""
