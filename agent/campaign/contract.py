"""What comes from outside must be: a value of a property of the plan, in its unit and range; a choice that exists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent.acquisition.base import Proposal
from agent.campaign.state import Campaign
from agent.pool.growth import MAX_ADDED_CANDIDATES, NewCandidate, growth_breach
from protocols.wire.messages import Quantity


def contract_breach(campaign: Campaign, quantities: tuple[Quantity, ...], which: str) -> str:
    """Return what is wrong with a result, or nothing: its properties, units and ranges are those of the plan.

    Args:
        campaign: The state.
        quantities: What was measured.
        which: Id of the row of the pool that they are of.
    """
    wanted = _bounds(campaign, which).items()
    return next((breach for name, bounds in wanted if (breach := _breach(quantities, name, *bounds))), "")


def _bounds(campaign: Campaign, which: str) -> dict[str, tuple[str, tuple[float, float]]]:
    """Return unit and range of each property, as a method may have its own."""
    plan = campaign.plan
    method = plan.fidelities.get(plan.measurement_of(which).fidelity or "")
    valid_range = plan.valid_range if method is None or method.valid_range is None else method.valid_range
    bounds = {plan.property_name: (plan.unit, valid_range)}
    return bounds | {each.name: (each.unit, each.valid_range) for each in plan.additional_properties}


def amendment_breach(campaign: Campaign, quantity: Quantity, which: str) -> str:
    """Return what is wrong with a corrected value, or nothing: it is of any one of the plan's properties.

    Args:
        campaign: The state.
        quantity: The value.
        which: Id of the row of the pool that it is of.
    """
    bounds = _bounds(campaign, which)
    if quantity.name not in bounds:
        return f"{quantity.name!r} is none of the properties that are balanced; expected {' or '.join(bounds)}"
    return _breach((quantity,), quantity.name, *bounds[quantity.name])


def proposal_breach(campaign: Campaign, count: int, proposal: Proposal) -> str:
    """Return what is wrong with a proposal, or nothing; whether its candidates are still available is not asked here.

    Args:
        campaign: As it was when the policy was asked, but for what became of its candidates.
        count: How many candidates were asked for.
        proposal: What the policy answered.
    """
    indices, new = [choice.index for choice in proposal.choices], proposal.new_candidates
    if len(indices) > count or len(set(indices)) != len(indices):
        return f"proposed {len(indices)} candidates ({len(set(indices))} distinct) of {count}"
    named = indices if proposal.runner_up is None else [*indices, proposal.runner_up.index]
    size = len(campaign.pool)
    if not all(0 <= index < size + len(new) for index in named):
        return "proposed an index outside the pool" + (f" and its {len(new)} new candidates" if new else "")
    if new and not campaign.may_grow:
        return f"made {len(new)} new candidates; {_why_not_grown(campaign)}"
    idle = [each.candidate_id for index, each in enumerate(new, size) if index not in named]
    if idle:
        return f"made new candidate {idle[0]!r}, which is neither chosen nor the runner-up"
    return growth_breach(campaign.pool, new)


DRAWS_AT_THE_START: Final = frozenset({"causal_reference"})
"""Policies that draw all that they ask for before any value is known: of a pool that grows they would draw it anew."""


def addition_breach(campaign: Campaign, new: Sequence[NewCandidate]) -> str:
    """Return what is wrong with candidates that an operator adds, or nothing."""
    if not new:
        return "it carries no candidates"
    if fixed := {campaign.plan.policy, campaign.plan.metrics_of} & DRAWS_AT_THE_START:
        return f"what {fixed.pop()} asks for was drawn of the pool at its start, which does not grow"
    if campaign.added + len(new) > MAX_ADDED_CANDIDATES:
        return f"{campaign.added} have joined the pool; expected at most {MAX_ADDED_CANDIDATES:,}"
    return growth_breach(campaign.pool, new) or next(filter(None, (_unsettable(campaign, each) for each in new)), "")


def _unsettable(campaign: Campaign, new: NewCandidate) -> str:
    """Return what a candidate lacks that the lab sets for all others, or nothing."""
    pool = campaign.pool
    to_set = None if new.parameters is None else new.parameters.columns
    told = {} if to_set is None else dict(zip(to_set.names, to_set.units, strict=True))
    labels = () if to_set is None else to_set.labels
    for name, unit in pool.parameter_units.items():
        if told.get(name) != unit:
            found = f"its parameter {name!r} is in {told[name]!r}" if name in told else f"it has no parameter {name!r}"
            return f"{new.candidate_id!r}: {found}; expected one in {unit!r}, as the pool's have"
    for name in pool.label_names:
        if name not in labels:
            return f"{new.candidate_id!r}: it has no label {name!r}, as the pool's have"
    return ""


def _why_not_grown(campaign: Campaign) -> str:
    if campaign.plan.grows_pool and not campaign.rest_policy:
        return f"{campaign.added} have joined the pool, which is as many as may"
    return "a policy that makes any says so when the campaign begins: by grows_pool = True in its class"


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
