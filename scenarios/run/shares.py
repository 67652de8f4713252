"""What drives the property, composition or structure, say: the shares of its variance, in words, beside the truth.

The truth is what the world of a scenario was made with; no policy sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.acquisition.registry import make_meter
from agent.campaign.context import pool_arrays
from agent.campaign.dataset import dataset_of
from agent.campaign.events import Event
from agent.campaign.plan import CampaignPlan
from agent.metrics import Share, ShareMeter
from agent.pool.candidates import Pool
from protocols.settings.user_code import CodeSource


def shares_of(
    events: Iterable[Event], plan: CampaignPlan, pool: Pool, truth: Mapping[str, float], code: CodeSource
) -> tuple[str, ...]:
    """Return what a campaign says of them, a line each; none where its policy says nothing of shares.

    Args:
        events: Its journal.
        plan: What it was started with.
        pool: The candidates.
        truth: Of the shares by name; empty where nobody knows it.
        code: Where a policy of the user's own may come from.
    """
    if not plan.metrics:
        return ()
    name, options = plan.metered_by
    meter = make_meter(name, options, pool_arrays(pool), plan.property_names, code, seed=plan.seed)
    if not isinstance(meter, ShareMeter):
        return ()
    for each in dataset_of(events, plan.property_names[1:]).values():
        meter.add(pool.index_of[each.candidate_id], each.value, *each.additional)
    return in_words(meter.shares(), plan.label, truth)


def in_words(shares: tuple[Share, ...], label: str, truth: Mapping[str, float]) -> tuple[str, ...]:
    """Say what drives a property: a sentence, then a line for every kind of factor and their interplay.

    Args:
        shares: Of the kinds, and last of their interplay; or none.
        label: Name of the property.
        truth: By name; empty where nobody knows it.
    """
    if not shares:
        return ()
    *kinds, interplay = shares
    first = max(kinds, key=lambda each: each.own)
    rest = [each for each in kinds if each is not first]
    is_clear = all(first.low > each.high for each in rest)
    hangs = "hangs" if is_clear else "seems to hang"
    on = f"more on {first.name} than on {' or '.join(each.name for each in rest)}" if rest else f"on {first.name}"
    lines = [f"over all designs, {label} {hangs} {on}"]
    lines += [f"{each.name}: {_told(each, truth)}, takes part in {100 * each.total:.0f} %" for each in kinds]
    return (*lines, f"{interplay.name}: {_told(interplay, truth)}")


def _told(share: Share, truth: Mapping[str, float]) -> str:
    known = f", truth {100 * truth[share.name]:.0f}" if share.name in truth else ""
    return f"{100 * share.own:.0f} % of the variance ({100 * share.low:.0f} to {100 * share.high:.0f}{known})"
