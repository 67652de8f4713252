"""What a reported value must be: of a property of the plan, in its unit and its range."""

from __future__ import annotations

from agent.campaign.state import Campaign
from protocols.wire.messages import Quantity


def contract_breach(campaign: Campaign, quantities: tuple[Quantity, ...]) -> str:
    """Return what is wrong with a result, or nothing: its properties, units and ranges are those of the plan."""
    plan = campaign.plan
    wanted = [(plan.property_name, plan.unit, plan.valid_range)]
    wanted += [(each.name, each.unit, each.valid_range) for each in plan.additional_properties]
    return next((breach for each in wanted if (breach := _breach(quantities, *each))), "")


def _breach(quantities: tuple[Quantity, ...], name: str, unit: str, valid_range: tuple[float, float]) -> str:
    named = [quantity for quantity in quantities if quantity.name == name]
    if len(named) != 1:
        reported = ", ".join(quantity.name for quantity in quantities)[:200]
        return f"{len(named)} values of {name!r}; reported: {reported}; expected exactly one"
    quantity = named[0]
    if quantity.unit != unit:
        return f"{name} in {quantity.unit!r}; expected {unit!r}"
    low, high = valid_range
    if not low <= quantity.value <= high:
        return f"{name} = {quantity.value:g} {unit}; expected {low:g} to {high:g}"
    return ""
