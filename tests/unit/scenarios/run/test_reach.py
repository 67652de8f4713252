"""What a campaign can reach, in words, and from its state."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition.baselines import UniformRandom
from agent.campaign.events import StartSetLoaded
from agent.entropy.ceiling import Ceiling
from agent.entropy.model_skill import ModelSkill
from agent.pool.candidates import Candidate, make_pool
from agent.settings import CampaignSettings
from scenarios.run.offline_campaign import OFFLINE, OfflineCampaign, Silence
from scenarios.run.reach import FURTHER, ceilings_of, further_values
from scenarios.run.reach_words import reach_in_words, what_is_hardly_known, who_falls_short

RICH = Ceiling("cubic", 0.2, 0.4, 0.3, 0.5, 80)
HOPELESS = Ceiling("monoclinic", -0.54, -0.55, -0.6, -0.5, 40)
EMPTY = Ceiling("triclinic", -1.0, -1.0, -1.0, -1.0, 0)
BEHIND = Ceiling("trigonal", -1.9, -0.2, -0.4, 0.0, 30)
UNKNOWN = Ceiling("hexagonal", None, None, None, None, 0)
NOTHING_LEFT = (
    "triclinic cannot be helped (it has no candidates left): −1.00 nat now, −1.00 at the very most; "
    "of its gap of 1.20 nat 1.20 stays"
)


def test_who_cannot_be_helped_is_named_first_and_what_stays_of_the_gap_is_told() -> None:
    assert who_falls_short((RICH, BEHIND, EMPTY, UNKNOWN, HOPELESS)) == [
        NOTHING_LEFT,
        "monoclinic cannot be helped: −0.54 nat now, −0.50 at the very most; of its gap of 0.74 nat 0.70 stays",
        "trigonal cannot come all the way: −1.90 nat now, 0.00 at the very most; of its gap of 2.10 nat 0.20 stays",
    ]


def test_nobody_is_named_where_all_can_come_to_the_richest_or_nothing_is_known() -> None:
    assert who_falls_short((RICH, dataclasses.replace(HOPELESS, high=0.16))) == []
    assert who_falls_short((UNKNOWN,)) == []


def test_of_very_many_families_the_worst_are_named_and_the_others_counted() -> None:
    many = [dataclasses.replace(HOPELESS, family=f"family {number}") for number in range(9)]
    said = who_falls_short((RICH, *many))
    assert len(said) == 6
    assert said[-1] == "4 further families fall short too"


def test_the_poorest_are_told_with_their_bands() -> None:
    assert reach_in_words((RICH, HOPELESS, UNKNOWN), 50) == (
        "with up to 50 more values each [nat]: monoclinic: −0.54 now, −0.55 ± 0.05 at most; "
        "cubic: 0.20 now, 0.40 ± 0.10 at most"
    )
    assert reach_in_words((UNKNOWN,), 50) == ""


def test_a_property_that_a_model_hardly_predicts_is_named_with_what_to_do_and_one_that_it_predicts_is_not() -> None:
    (said,) = what_is_hardly_known((ModelSkill("energy", 0.25, 0.26, 80), ModelSkill("gap", 0.1, 0.5, 80)))
    assert said == (
        "the model predicts energy hardly better than the mean of each family does: of 80 values, left out by "
        "fifths, it errs by 0.25, the mean by 0.26, so that what it chooses is little better than chance; add features "
        "that say more (structures, cheaper measurements), or take random"
    )
    assert what_is_hardly_known(()) == []


@pytest.fixture
def begun() -> Callable[[int], OfflineCampaign]:
    """A campaign over two families whose lab says nothing, with eight values each."""

    def begin(budget: int) -> OfflineCampaign:
        rng = np.random.default_rng(0)
        pool = make_pool(
            [Candidate(f"c{n:03d}", "left" if n < 40 else "right") for n in range(80)], rng.random((80, 2)), ("a", "b")
        )
        settings = CampaignSettings(property="x", unit="eV", policy="random", budget=budget)
        start = [(f"c{n:03d}", float(pool.features[n, 0])) for n in (*range(8), *range(40, 48))]
        plan = settings.plan(
            campaign=OFFLINE, uid=OFFLINE, fingerprint="", recipients=(OFFLINE,), pool=pool,
            start_values=[value for _, value in start],
        )  # fmt: skip
        campaign = OfflineCampaign(pool, lambda _attempt: Silence(), UniformRandom().propose)
        campaign.begin(plan, StartSetLoaded.of(start, ()))
        return campaign

    return begin


def test_the_budget_that_is_left_may_go_to_one_family_and_where_none_is_left_fifty_more(
    begun: Callable[[int], OfflineCampaign],
) -> None:
    campaign = begun(30)
    assert further_values(campaign.campaign) == 30
    found = ceilings_of(campaign.campaign)
    assert [(each.family, each.remaining) for each in found] == [("left", 32), ("right", 32)]
    assert all(each.at_most is not None for each in found)
    campaign.play()  # nobody answers, so it ends with its candidates abandoned
    assert further_values(campaign.campaign) in {FURTHER, 30 - campaign.campaign.spent}
    assert sum(each.remaining for each in ceilings_of(campaign.campaign)) < 64
