"""What the methods of a campaign must be: the target among them, payable, and to be told from ids of candidates."""

from __future__ import annotations

import re

from agent.campaign.plan import CampaignPlan, CampaignPlanSettings
from agent.pool.candidates import Pool
from agent.pool.measurements import MARK
from protocols.errors import SettingsError
from protocols.wire.messages import ID_PATTERN


def fidelity_problem(settings: CampaignPlanSettings) -> str:
    """Return what is wrong with the methods of some settings, or nothing."""
    methods, target = settings.fidelities, settings.fidelity
    if not methods:
        needs = "it repeats measurements by the methods of [campaign.fidelities], and there are none"
        return f"replicates = {settings.replicates}: {needs}" if settings.replicates > 1 else ""
    named = ", ".join(methods)
    if target not in methods:
        found = "no fidelity" if target is None else f"fidelity = {target!r}"
        return f"{found}; expected the target among the methods of [campaign.fidelities]: {named}"
    for name, method in methods.items():
        if re.fullmatch(ID_PATTERN, name) is None or MARK in name:
            return f"the method {name!r} of [campaign.fidelities]; expected small letters, digits, _ and single -"
        if method.valid_range is not None and not method.valid_range[0] < method.valid_range[1]:
            return f"valid_range = {list(method.valid_range)} of {name!r} is empty; expected [smallest, largest]"
    if settings.budget < settings.target_cost:
        return f"budget = {settings.budget} pays no measurement by {target!r}, which costs {settings.target_cost}"
    return ""


def require_measurable(plan: CampaignPlan, pool: Pool) -> None:
    """Check that the measurements of a pool's candidates can be rows of it.

    Raises:
        SettingsError: When they cannot.
    """
    methods = plan.methods
    problem = None if methods is None else next(methods.breaches(pool), None)
    if problem is not None:
        raise SettingsError(
            f"[campaign.fidelities] does not fit the pool: {problem}",
            action="name fewer methods, fewer replicates, or call the method something else",
        )
