"""What results brought beside their values, counted."""

from __future__ import annotations

from dataclasses import replace

from agent.campaign.events import CampaignFinished, MeasuredQuantity, RawFileLink, ResultAccepted
from scenarios.run.summary.measured import brought_in_words
from simulators.oracle_table import ANSWERED_BY

PLAIN = ResultAccepted("a-1", "c001", "sim", 0.5, (MeasuredQuantity("yield", 0.5, "%"),), 1.0)
FILES = (RawFileLink("a", "file:a"), RawFileLink("b", "file:b"))


def test_results_that_bring_nothing_but_values_are_not_spoken_of() -> None:
    assert brought_in_words([PLAIN, PLAIN, CampaignFinished("it is over")], "%") == ""
    assert brought_in_words([], "%") == ""


def test_what_came_is_counted_by_kind() -> None:
    events = [
        PLAIN,
        replace(PLAIN, standard_deviation=0.1, replicates=(0.4, 0.6)),
        replace(PLAIN, standard_deviation=0.3, conditions=(MeasuredQuantity("t", 300.0, "K"),)),
        replace(PLAIN, standard_deviation=0.2, files=FILES, remarks={"batch": "A"}),
    ]
    assert brought_in_words(events, "%") == (
        "of 4 results came 3 with an uncertainty (median 0.2 %), 1 with single measurements, 1 with conditions, "
        "1 with remarks, 1 with links to 2 raw files"
    )
    assert brought_in_words(events[:2], "") == (
        "of 2 results came 1 with an uncertainty (median 0.1), 1 with single measurements"
    )


def test_results_of_several_instruments_are_counted_by_who_told_them() -> None:
    events = [replace(PLAIN, simulator=name) for name in ("xrd", "afm", "xrd")]
    assert brought_in_words(events, "%") == "of 3 results came 2 from xrd, 1 from afm"
    many = [replace(PLAIN, simulator=f"s{number}") for number in range(8)]
    assert brought_in_words(many, "%").endswith("1 from s5, 2 from others")


def test_results_that_something_else_answered_are_counted_by_what_that_was() -> None:
    events = [PLAIN, replace(PLAIN, remarks={ANSWERED_BY: "the calculator"}), replace(PLAIN, remarks={"batch": "A"})]
    assert brought_in_words(events, "%") == "of 3 results came 2 with remarks, 1 from the calculator"
