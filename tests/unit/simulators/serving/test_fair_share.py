"""Several campaigns on one instrument get its slots' time by their weights, and whoever asks alone gets all of it."""

from __future__ import annotations

import heapq
from collections import Counter

import pytest

from simulators.serving.fair_share import MAX_CAMPAIGNS, FairShare


def shared(
    weights: dict[str, float], takes_s: dict[str, float], *, slots: int = 1, until_s: float = 1_000.0
) -> dict[str, float]:
    """Play campaigns that always have something waiting; return the slots' time that each got [s]."""
    share, got = FairShare(), dict.fromkeys(weights, 0.0)
    running, now_s = list[tuple[float, str, float]](), 0.0
    while now_s < until_s:
        while len(running) < slots:
            campaign = share.next(weights)
            guessed_s = share.begin(campaign, weights[campaign])
            heapq.heappush(running, (now_s + takes_s[campaign], campaign, guessed_s))
        now_s, campaign, guessed_s = heapq.heappop(running)
        share.end(campaign, weights[campaign], guessed_s=guessed_s, took_s=takes_s[campaign])
        got[campaign] += takes_s[campaign]
    return got


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("takes_s", [{"x": 1.0, "y": 1.0, "z": 1.0}, {"x": 7.0, "y": 1.0, "z": 0.1}])
def test_each_gets_its_share_of_the_time_whatever_its_evaluations_last(takes_s: dict[str, float], slots: int) -> None:
    weights = {"x": 3.0, "y": 1.0, "z": 0.5}
    got = shared(weights, takes_s, slots=slots)
    for campaign, weight in weights.items():
        assert got[campaign] / sum(got.values()) == pytest.approx(weight / 4.5, rel=0.1)


def test_equal_ones_are_served_in_turn() -> None:
    share = FairShare()
    served = []
    for _ in range(4):
        served.append(share.next(["x", "y"]))
        guessed_s = share.begin(served[-1], 1.0)
        share.end(served[-1], 1.0, guessed_s=guessed_s, took_s=1.0)
    assert served == ["x", "y", "x", "y"]


def test_who_comes_later_or_was_away_has_saved_up_nothing() -> None:
    share = FairShare()
    for _ in range(50):
        guessed_s = share.begin("x", 1.0)
        share.end("x", 1.0, guessed_s=guessed_s, took_s=1.0)
    served = Counter[str]()
    for _ in range(10):
        campaign = share.next(["x", "late"])
        guessed_s = share.begin(campaign, 1.0)
        share.end(campaign, 1.0, guessed_s=guessed_s, took_s=1.0)
        served[campaign] += 1
    assert served == {"x": 5, "late": 5}


def test_only_so_many_campaigns_are_remembered() -> None:
    share = FairShare()
    for number in range(MAX_CAMPAIGNS + 5):
        share.begin(f"c{number}", 1.0)
    assert len(share.passes()) == MAX_CAMPAIGNS
    share.end("c0", 1.0, guessed_s=1.0, took_s=9.0)  # one that is forgotten
    assert "c0" not in share.passes()
