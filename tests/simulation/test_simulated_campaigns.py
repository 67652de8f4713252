"""A slice of the simulation for every commit: the first 300 seeds, in parts, so that several processes share them."""

from __future__ import annotations

from typing import Final

import pytest

from tests.simulation.run import play_seed

SEEDS: Final = 300
PART: Final = 10

FOUND: Final = {
    873: "a request whose damaged field a lab did not know cost a candidate",
    1912: "the same, in a batch",
    4232: "the checker took one damaged answer of an attempt for the next, which was refused for its unit",
}
"""Seeds beyond the slice that once broke an invariant, and what they found."""


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_no_invariant_breaks_whatever_goes_wrong(first: int) -> None:
    broken = [
        f"python -m tests.simulation --seed {report.seed} --trace\n  {violation}"
        for report in map(play_seed, range(first, first + PART))
        for violation in report.violations
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("seed", FOUND)
def test_what_a_seed_once_found_stays_mended(seed: int) -> None:
    assert play_seed(seed).violations == [], FOUND[seed]
