"""What the results of a run brought beside their values, in a line."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from typing import Final

from agent.campaign.events import Event, ResultAccepted
from simulators.oracle_table import ANSWERED_BY

MOST_INSTRUMENTS: Final = 6
"""Instruments that are told one by one; of further ones the sum."""


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
    instead = Counter(str(event.remarks[ANSWERED_BY]) for event in results if ANSWERED_BY in event.remarks)
    words += [f"{count} from {who}" for who, count in sorted(instead.items())]
    words += _by_instrument(Counter(event.simulator for event in results))
    return f"of {len(results)} results came {', '.join(words)}" if words else ""


def _by_instrument(counts: Counter[str]) -> list[str]:
    """Return how many results each instrument gave, where several did; the most diligent first."""
    if len(counts) < 2:  # noqa: PLR2004 - one alone gave all of them
        return []
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    words = [f"{count} from {name}" for name, count in ordered[:MOST_INSTRUMENTS]]
    beyond = sum(count for _, count in ordered[MOST_INSTRUMENTS:])
    return words + ([f"{beyond} from others"] if beyond else [])
