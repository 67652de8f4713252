"""Who is asked for a candidate, and whether anybody is asked now: a pure function of the campaign's state.

Work goes to whoever is free. Let s be the slots of an instrument, e the time that one evaluation takes there, and l the
attempts that it holds. It would be done with one more after

    t = e (1 + max(0, l + 1 - s) / s)

Of those that are there, can serve the candidate and hold fewer than s attempts, or `AHEAD` more, the one with the
smallest t is asked; before that counts who has tried this candidate less often, after it the order of the recipients.
It is the rule of list scheduling (Graham, SIAM J. Appl. Math. 17, 416 (1969)) on machines of different speed, with one
change: a slow one is passed over where the faster ones will have done all that is left before it has done this one. So
the last candidate of a campaign is not given to an instrument that needs ten times as long.

Nobody is asked blindly for more than it can hold: what waits, waits here, and can still go to anybody. Where no
instrument has announced anything, the recipients have their turns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from agent.campaign.lab.abilities import Wanted
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import Ordering
from agent.campaign.state import Campaign
from agent.pool.elements import elements_of
from agent.pool.growth import NewCandidate
from protocols.wire.attempt_ids import attempt_identity
from protocols.wire.topics import ANY_SIMULATOR

AHEAD: Final = 1
"""Attempts that an instrument holds beyond its slots: the next one is there when a slot becomes free, and it is not
idle while a result travels, is committed and answered. Only one that has answered before: of any other nobody knows how
long it takes."""

UNKNOWN_S: Final = 1.0
"""How long an evaluation is taken to need where nobody has said so and none was made [s]: then all are alike."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who is asked for a candidate.

    Attributes:
        recipient: Who; empty where nobody is asked now.
        why: Why nobody is asked.
        never: Whether nobody ever will: no instrument can serve it.
    """

    recipient: str = ""
    why: str = ""
    never: bool = False


class Assigner:
    """Assigns the requests that go out together, each beside those before it.

    Args:
        campaign: The state; only read.
    """

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._recipients: Final = tuple(dict.fromkeys(campaign.plan.recipients))
        self._held: Final = Counter(each.recipient for each in campaign.in_flight.values())
        self._by_turns: Final = not campaign.lab.announced or ANY_SIMULATOR in self._recipients

    def assign(
        self, candidate_id: str, decision: int, attempt: int, *, turn: int, new: NewCandidate | None = None
    ) -> Assignment:
        """Return who is asked for a candidate now.

        Args:
            candidate_id: Which.
            decision: That chose it.
            attempt: Number of the attempt at it, from 1.
            turn: Number of the request, where the recipients have their turns.
            new: The candidate, where it joins the pool with its own decision and is not in it yet.
        """
        campaign = self._campaign
        if overheard := campaign.lab.went_to:
            known = overheard.get(attempt_identity(campaign.plan.uid, decision, candidate_id, attempt))
            return Assignment(known or recipient_of(campaign, turn))
        if self._by_turns:
            return Assignment(recipient_of(campaign, turn))
        found = self._found(candidate_id, new)
        self._held[found.recipient] += 1
        return found

    def _found(self, candidate_id: str, new: NewCandidate | None) -> Assignment:
        campaign = self._campaign
        named = {limit.name for known in campaign.lab.announced.values() for limit in known.parameters}
        wanted = wanted_of(campaign, candidate_id, named, new)
        refusals = {each: why for each in self._recipients if (why := self._why_not(each, wanted))}
        able = [each for each in self._recipients if each not in refusals]
        if not able:
            told = "; ".join(f"{each} {why}" for each, why in refusals.items())
            return Assignment(why=f"no instrument can serve it: {told}", never=True)
        if len(self._recipients) == 1:
            return Assignment(able[0])
        there = [each for each in able if each not in campaign.absence.away]
        if not there:
            return Assignment(why=f"it waits for {', '.join(able)}, which is away")
        free = [each for each in there if self._held[each] < self._room(each)]
        if not free:
            return Assignment(why=f"it waits for a slot of {', '.join(there)}")
        tried = self._tried(candidate_id)
        expected_s = self._expected_s(there)
        done_s = {each: self._done_s(each, expected_s[each]) for each in free}
        chosen = min(free, key=lambda each: (tried[each], done_s[each]))  # of equal ones the first of the recipients
        faster = [each for each in there if expected_s[each] < expected_s[chosen] and tried[each] <= tried[chosen]]
        rate = sum(campaign.lab.slots(each) / expected_s[each] for each in faster)
        if done_s[chosen] * rate > _left(campaign):
            return Assignment(why=f"it waits for {', '.join(faster)}: {chosen} would be done later")
        return Assignment(chosen)

    def _room(self, recipient: str) -> int:
        """Return how many attempts a recipient may hold."""
        lab = self._campaign.lab
        return lab.slots(recipient) + (AHEAD if recipient in lab.pace else 0)

    def _why_not(self, recipient: str, wanted: Wanted) -> str:
        known = self._campaign.lab.announced.get(recipient)
        return "" if known is None else known.why_not(wanted)

    def _expected_s(self, recipients: Iterable[str]) -> Mapping[str, float]:
        """Return how long each takes for one [s]; who is not known yet is taken for the fastest, and soon known."""
        known = {each: self._campaign.lab.expected_s(each) for each in recipients}
        fastest = min((each for each in known.values() if each is not None), default=UNKNOWN_S)
        return {name: fastest if each is None else each for name, each in known.items()}

    def _done_s(self, recipient: str, expected_s: float) -> float:
        """Return when a recipient would be done with one more [s from now]."""
        slots = self._campaign.lab.slots(recipient)
        return expected_s * (1.0 + max(0, self._held[recipient] + 1 - slots) / slots)

    def _tried(self, candidate_id: str) -> Counter[str]:
        """Return how often each recipient was asked for a candidate in vain."""
        campaign = self._campaign
        made = campaign.attempts_made.get(candidate_id, 0)
        decision = campaign.decision_of.get(candidate_id, 0)
        ids = (attempt_identity(campaign.plan.uid, decision, candidate_id, number) for number in range(1, made + 1))
        return Counter(campaign.attempts[each].recipient for each in ids)


def recipient_of(campaign: Campaign, turn: int) -> str:
    """Return who is asked: the recipients have their turns, and one that is away leaves its turn to another."""
    recipients, away = campaign.plan.recipients, campaign.absence.away
    whose = recipients[turn % len(recipients)]
    if whose not in away:
        return whose
    there = [each for each in recipients if each not in away]
    return there[turn % len(there)] if there else whose


def wanted_of(campaign: Campaign, candidate_id: str, named: Iterable[str], new: NewCandidate | None = None) -> Wanted:
    """Return what the campaign asks of whoever evaluates a candidate.

    Args:
        campaign: The state.
        candidate_id: Which.
        named: The parameters that anybody has a range for.
        new: The candidate, where it is not in the pool yet.
    """
    plan, pool = campaign.plan, campaign.pool
    properties = ((plan.property_name, plan.unit), *((each.name, each.unit) for each in plan.additional_properties))
    columns = {each: pool.feature_names.index(each) for each in named if each in pool.feature_names and pool.is_whole}
    if new is None:
        index = pool.index_of[candidate_id]
        candidate, features = pool.candidates[index], pool.features[index] if columns else ()
    else:
        candidate, features = new.as_candidate(), new.features
    numbers = {name: float(features[column]) for name, column in columns.items()}
    to_set = () if candidate.parameters is None else candidate.parameters.quantities()
    numbers |= {each.name: each.value for each in to_set}
    units = {each.name: each.unit for each in to_set}
    fidelity = plan.measurement_of(candidate_id).fidelity
    return Wanted(properties, fidelity, elements_of(candidate) or frozenset(), numbers, units)


def _left(campaign: Campaign) -> int:
    """Return how many candidates will still be evaluated, as far as one can go without waiting for this one.

    With `ordering = "in_order"` that is what may be open at once: the next decision waits for the oldest open one.
    """
    asks = campaign.phase is Phase.RUNNING and not campaign.has_ended_asking
    left = campaign.open_count + (campaign.affordable_count if asks else 0)
    return min(left, campaign.plan.parallel) if campaign.plan.ordering is Ordering.IN_ORDER else left
