"""One engine: whatever a lab and an operator do, a campaign played offline has the events that the loop journals.

Both are given the same plan, policy, lab and operator. Nothing is left out of the comparison: the events must be equal
in kind, order and content, with all names and ids. The lab answers the request that waits longest, as offline play
asks it; in the loop every message goes over the wire as text, may come twice, and the policy answers at once or later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import Phase as Search
from hypothesis import find, given, settings
from hypothesis import strategies as st

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.campaign.events import (
    BecameEven,
    CampaignStarted,
    CandidatesAdded,
    DecisionMade,
    Event,
    GapStalled,
    StartSetLoaded,
    StopRuleFired,
)
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import CampaignPlan, Ordering
from agent.campaign.state import Attempt
from agent.campaign.stop_settings import StopSettings
from agent.runtime.transaction import DeadlinePassed, Input, PolicyAnswer, Transaction, TransactionBuilder
from agent.store.commit import OutboxItem
from protocols.wire.messages import AddedCandidate, AnyMessage, ControlAction, FailureReason
from scenarios.run.offline_campaign import (
    Failure,
    LabAnswer,
    OfflineCampaign,
    Silence,
    TimedControl,
    message_of,
)
from tests.support.campaigns import content_after, control, first_available, quantity, small_plan, small_pool, value_of
from tests.support.stored_campaigns import delivered
from tests.support.user_policies import Growing

POOL = small_pool(20, families=2)
START = POOL.candidate_ids[:8]
"""Four of each family: two more, and all families are covered."""

ANSWERS: st.SearchStrategy[LabAnswer] = st.one_of(
    st.floats(-10.0, 10.0).map(lambda value: (quantity(value),)),
    st.floats(-10.0, 10.0).map(lambda value: (quantity(value), quantity(value, name="gap", unit="eV"))),
    st.floats(10.5, 1e9).map(lambda value: (quantity(value),)),
    st.just((quantity(0.5, unit="J"),)),
    st.just((quantity(0.5), quantity(0.6))),
    st.sampled_from(FailureReason).map(lambda reason: Failure(reason, "the lamp broke")),
    st.just(Silence()),
)
NEW = ("new-1", "new-2", "new-3")
ADDITIONS = st.builds(
    lambda ids, family: control(
        ControlAction.ADD_CANDIDATES,
        candidates=tuple(AddedCandidate(candidate_id=each, family=family, features=(1.0, 2.0, 3.0)) for each in ids),
    ),
    st.lists(st.sampled_from([*NEW, "c003"]), min_size=1, max_size=3),
    st.sampled_from(["family-0", "family-1", "alien"]),
)
CONTROLS = st.one_of(
    st.builds(
        lambda action, candidate, value: control(
            action, candidate, quantity=quantity(value), reason="a person says so"
        ),
        st.sampled_from(ControlAction),
        st.sampled_from([*POOL.candidate_ids, *NEW, "nobody"]),
        st.floats(-20.0, 20.0),
    ),
    ADDITIONS,
)
STOPS = st.builds(
    StopSettings,
    when_even=st.sampled_from(["off", "stop", "coverage"]),
    when_no_gain=st.sampled_from(["off", "stop", "coverage"]),
    tolerance_nat=st.sampled_from([0.0, 0.05, 0.5, 10.0]),
    gain_nat=st.sampled_from([0.01, 0.2, 5.0]),
    patience=st.integers(1, 6),
)
PLANS = st.builds(
    lambda parallel, batch, **changes: small_plan(
        POOL, parallel=parallel, batch=min(batch, parallel), estimator="m_spacing", resolution=0.01, **changes
    ),
    parallel=st.integers(1, 4),
    batch=st.integers(1, 4),
    ordering=st.sampled_from(Ordering),
    budget=st.integers(1, 16),
    max_attempts=st.integers(1, 3),
    give_up_after=st.integers(1, 4),
    stop=STOPS,
    recipients=st.sampled_from([("simulator-1",), ("simulator-1", "simulator-2"), ("any",)]),
)


@dataclass(frozen=True)
class Script:
    """What a lab says, answer by answer, and an operator; the lab begins again when it has said everything."""

    answers: tuple[LabAnswer, ...]
    controls: tuple[TimedControl, ...]

    def lab(self) -> Lab:
        return Lab(self.answers)


class Lab:
    """Says what its script says, in its order."""

    def __init__(self, answers: tuple[LabAnswer, ...]) -> None:
        self._answers = answers
        self.said = 0

    def __call__(self, attempt: Attempt) -> LabAnswer:
        self.said += 1
        return self._answers[(self.said - 1) % len(self._answers)]


class Thrifty:
    """Draws at random, and after so many decisions has nothing more to ask for; what decides the rest does neither.

    One that grows the pool draws every other decision from candidates that it makes.
    """

    def __init__(self, decisions: int, *, grows: bool = False) -> None:
        self._stop = content_after(decisions)
        self._decisions = decisions
        self.grows = grows

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        if context.policy:
            return first_available(context, count)
        if context.decision >= self._decisions:
            return self._stop(context, count)
        makes = self.grows and (context.decision % 2 == 0 or len(context.available) < count)
        return (Growing() if makes else UniformRandom()).propose(context, count)


POLICIES = st.builds(Thrifty, st.one_of(st.just(99), st.integers(0, 6)), grows=st.booleans())

SCRIPTS = st.builds(
    lambda answers, timed: Script(
        tuple(answers), tuple(TimedControl(at, each) for at, each in sorted(timed, key=lambda pair: pair[0]))
    ),
    st.lists(ANSWERS, min_size=1, max_size=24),
    st.lists(st.tuples(st.integers(0, 8), CONTROLS), max_size=4),
)


class Sooner:
    """A policy that answers within the step, or, as one in a child process does, by an input of the next."""

    def __init__(self, policy: Thrifty, *, at_once: bool) -> None:
        self.policy = policy
        self._at_once = at_once

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal | None:
        return self.policy.propose(context, count) if self._at_once else None


def through_the_loop(plan: CampaignPlan, script: Script, policy: Sooner, *, twice: bool) -> list[Event]:
    """Play by the transactions of the agent, one input each."""
    maker = TransactionBuilder(
        Ledger(POOL), policy_runner=policy, make_request=lambda each, _: OutboxItem(each.attempt_id, "", b"")
    )
    journal: list[Event] = []

    def transaction(*items: Input) -> None:
        step = Transaction()
        for item in items:
            maker.take(step, item)
        question = maker.settle(step)
        journal.extend(step.events)
        if question is not None:
            answer = policy.policy.propose(question.context, question.needed.count)
            transaction(PolicyAnswer(question.needed, question.based_on, answer))

    beginning = Transaction()
    for event in (CampaignStarted(plan), start_set()):
        maker.fold(beginning, event)
    journal.extend(beginning.events)
    transaction()
    for item in inputs(maker.ledger, script):
        transaction(item)
        if twice and not isinstance(item, DeadlinePassed) and not is_over(maker.ledger):
            transaction(item)
    return journal


def inputs(ledger: Ledger, script: Script) -> Iterator[Input]:
    """Yield what the lab and the operator send, as long as they have something to say."""
    lab, controls, campaign = script.lab(), list(script.controls), ledger.campaign
    while not is_over(ledger):
        if controls and len(campaign.acquired) >= controls[0].at:
            yield sent(controls.pop(0).control)
        elif campaign.in_flight:
            attempt = next(iter(campaign.in_flight.values()))
            answer = lab(attempt)
            if isinstance(answer, Silence):
                yield DeadlinePassed(attempt.attempt_id)
            else:
                yield sent(message_of(attempt, answer, campaign.plan))
        else:
            return


def is_over(ledger: Ledger) -> bool:
    """Whether the agent would end here."""
    return ledger.campaign.phase is Phase.FINISHED or ledger.campaign.paused_itself


def sent(message: AnyMessage) -> Input:
    return delivered(message)


def start_set() -> StartSetLoaded:
    return StartSetLoaded(START, tuple(map(value_of, START)))


def offline(plan: CampaignPlan, script: Script, policy: Thrifty) -> OfflineCampaign:
    played = OfflineCampaign(POOL, script.lab(), policy.propose, controls=script.controls)
    played.begin(plan, start_set())
    played.play()
    return played


@settings(max_examples=150, deadline=None)
@given(plan=PLANS, script=SCRIPTS, policy=POLICIES, at_once=st.booleans(), twice=st.booleans())
def test_offline_play_has_the_events_of_the_loop(
    plan: CampaignPlan, script: Script, policy: Thrifty, at_once: bool, twice: bool
) -> None:
    plan = plan.model_copy(update={"grows_pool": policy.grows})
    journal = through_the_loop(plan, script, Sooner(policy, at_once=at_once), twice=twice)
    played = offline(plan, script, policy)
    assert [change.event for change in played.changes] == journal
    assert [change.sequence for change in played.changes] == list(range(1, len(journal) + 1))


@settings(max_examples=50, deadline=None)
@given(plan=PLANS, script=SCRIPTS, grows=st.booleans())
def test_the_ledger_of_a_journal_is_the_one_that_made_it(plan: CampaignPlan, script: Script, grows: bool) -> None:
    played = offline(plan.model_copy(update={"grows_pool": grows}), script, Thrifty(99, grows=grows))
    again = Ledger.of_journal(POOL, [change.event for change in played.changes])
    assert again.meter.point() == played.ledger.meter.point()
    assert again.observation == played.ledger.observation
    assert again.progress.findings == played.ledger.progress.findings
    assert again.noticed() == played.ledger.noticed()
    assert again.question() == played.ledger.question() is None
    assert again.campaign.pool.candidates == played.campaign.pool.candidates
    assert again.pool.features.tolist() == played.ledger.pool.features.tolist()


@pytest.mark.parametrize("kind", [BecameEven, CandidatesAdded, GapStalled, StopRuleFired, DecisionMade])
def test_the_campaigns_that_are_compared_have_every_kind_of_finding(kind: type[Event]) -> None:
    """A comparison says nothing of a kind of event that never occurs in it; decisions of the rest are one of them."""

    def occurs(example: tuple[CampaignPlan, Script]) -> bool:
        made = [change.event for change in offline(*example, Thrifty(99)).changes]
        return any(isinstance(each, kind) and getattr(each, "policy", "coverage") != "random" for each in made)

    thorough = settings(phases=[Search.generate], deadline=None, max_examples=5_000, database=None)
    find(st.tuples(PLANS, SCRIPTS), occurs, settings=thorough, random=Random(0))
