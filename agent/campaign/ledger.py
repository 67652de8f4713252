"""What a campaign is: its state and its metrics, both folded from its events, and what follows by themselves from them.

Whoever plays, resumes, replays, checks, compares or explains a campaign holds a ledger, so that an event means the
same to all of them:

    fold      one event: the state, and the metrics where it is an observation
    decide    one message: what it makes, by the rules; it changes nothing yet
    take      what was decided: folded, in order
    settle    what follows by itself, decisions too as long as the policy answers at once
    question  what the policy is to be asked now, with all that it may look at

The ledger reads no clock and speaks to nobody: the loop writes its changes into a transaction, offline play into a
list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from agent.acquisition.base import AcquisitionContext, PoolArrays, Proposal
from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import declared_metrics, make_meter
from agent.campaign.context import ContextMaker, pool_arrays
from agent.campaign.decide import Consequence, decide_message
from agent.campaign.event_descriptions import observations_of, taken_away_by
from agent.campaign.events import CampaignStarted, Event
from agent.campaign.follow import react
from agent.campaign.gap_progress import GapProgress, values_needed
from agent.campaign.plan import CampaignPlan
from agent.campaign.proposals import DecisionNeeded, decide_proposal, decision_needed
from agent.campaign.state import Campaign
from agent.campaign.stop_rules import Noticed, RuleWatch
from agent.campaign.stop_settings import StopSettings
from agent.campaign.target_values import candidate_index, changes_target, target_value
from agent.entropy.best import BestSoFar
from agent.entropy.bias import BiasMeter, BiasPoint
from agent.entropy.dataset import DatasetBias
from agent.metrics import AccountingMeter, DatasetMeter, Meter
from agent.pool.candidates import Pool
from protocols.errors import InvariantViolation, StoreError
from protocols.settings.user_code import INSTALLED, CodeSource
from protocols.wire.messages import AnyMessage

ProposeNow = Callable[[AcquisitionContext, int], Proposal | None]
"""Asks the policy; None when its answer comes later."""


@dataclass(frozen=True, slots=True)
class TrajectoryPoint:
    """The metrics after one observation; `changed` names the families whose rows are new at this observation.

    `spent` is what all that had their outcome by then have taken of the budget.
    """

    observation: int
    sequence: int
    point: BiasPoint
    changed: tuple[str, ...]
    spent: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """An event that was folded.

    Attributes:
        sequence: Its number in the journal, from 1.
        event: The event.
        metrics: What the dataset is like with it; None where it is no observation.
    """

    sequence: int
    event: Event
    metrics: TrajectoryPoint | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What the policy is asked.

    Attributes:
        needed: Which decision, and how many candidates.
        based_on: Number of the last event that it may know of.
        context: What it may look at.
    """

    needed: DecisionNeeded
    based_on: int
    context: AcquisitionContext


@dataclass(frozen=True, slots=True)
class Settlement:
    """What followed by itself.

    Attributes:
        changes: What was folded, in order.
        question: What the policy has not answered at once; None when it is not due.
    """

    changes: tuple[Change, ...]
    question: Question | None


class Ledger:
    """One campaign, folded from its events.

    Args:
        pool: The candidates at the start.
        code: Where a policy of the user's own may come from, for the metrics that it declares. None where none may be
            run: then only policies that come with Entropilot have theirs.

    Attributes:
        campaign: The state.
        best: The best that each of them was.
        progress: How the mean gap comes along.
        observation: Number of the last one; 0 is the start set, −1 comes before it.
    """

    def __init__(self, pool: Pool, code: CodeSource | None = None) -> None:
        self.campaign: Final = Campaign(pool)
        self._contexts: Final = ContextMaker(self.campaign, pool_arrays(pool))
        self._bias = DatasetBias(pool.families)
        self.best: Final = BestSoFar()
        self.progress = GapProgress(StopSettings(), values_needed(self.pool))
        self._rules: RuleWatch | None = None
        self._code = code
        self._declared: DatasetMeter[Meter] | None = None
        self.observation = -1

    @classmethod
    def of_journal(cls, pool: Pool, events: Iterable[Event], code: CodeSource | None = None) -> Self:
        """Return the ledger of a journal; arguments as of the class.

        Raises:
            StoreError: When an event cannot follow the ones before.
        """
        ledger = cls(pool, code)
        for event in events:
            ledger.fold_journalled(event)
        return ledger

    @property
    def meter(self) -> BiasMeter:
        """The bias of the values that are in the dataset."""
        return self._bias.meter

    @property
    def pool(self) -> PoolArrays:
        """The pool as a policy sees it, with all that has joined it."""
        return self._contexts.pool

    def fold(self, event: Event) -> Change:
        """Fold one event.

        Raises:
            InvariantViolation: When it cannot follow the ones before; the ledger is then not to be used.
        """
        pool = self.pool  # at the beginning of candidates alone: what is measured besides joins it with the plan
        self.campaign.apply(event)
        if isinstance(event, CampaignStarted):
            self._bias = DatasetBias(pool.families, event.plan.targets)
            self.progress = GapProgress(event.plan.stop, values_needed(pool))
            self._rules = RuleWatch(self.campaign, pool) if event.plan.stop.has_rules else None
            self._declared = self._meter_of(event.plan, pool)
        if self._rules is not None and self.campaign.fired is None:
            self._rules.note(event)
        metrics = self._measure(event) if changes_target(event, self.campaign.plan) else None
        return Change(self.campaign.sequence, event, metrics)

    def fold_journalled(self, event: Event) -> Change:
        """Fold one event of a journal.

        Raises:
            StoreError: When it cannot follow the ones before.
        """
        try:
            return self.fold(event)
        except (InvariantViolation, LookupError) as error:
            raise StoreError(
                f"Row {self.campaign.sequence + 1} of the journal cannot follow the ones before: {error}",
                expected="a journal by the rules of a campaign",
                action="`entropilot verify` tells what else is wrong; restore the run folder from a copy",
            ) from None

    def decide(self, message: AnyMessage, *, signed_by: str = "", retained: bool = False) -> Consequence:
        """Return what a message makes; arguments as of `agent.campaign.decide.decide_message`.

        Raises:
            MessageError: When it is not of this campaign, stale, or cannot be carried out.
        """
        return decide_message(self.campaign, message, signed_by=signed_by, retained=retained)

    def take(self, outcome: Consequence) -> tuple[Change, ...]:
        """Fold what was decided."""
        return tuple(self.fold(event) for event in outcome.events)

    def settle(self, propose_inline: ProposeNow) -> Settlement:
        """Fold what follows by itself, and decide as long as the policy answers at once."""
        changes: list[Change] = []
        while True:
            if follows := react(self.campaign, self.noticed()):
                changes.extend(self.take(Consequence(follows)))
                continue
            question = self.question()
            proposal = None if question is None else propose_inline(question.context, question.needed.count)
            if question is None or proposal is None:
                return Settlement(tuple(changes), question)
            changes.extend(self.take(self.answer(question, proposal)))

    def noticed(self) -> Noticed:
        """Return what the metrics say that the campaign may have to act on."""
        rules = None if self.campaign.fired is not None else self._rules
        return Noticed(self.progress.findings, None if rules is None else rules.fired())

    def question(self) -> Question | None:
        """Return what the policy is to be asked now; None when it is not due."""
        needed = decision_needed(self.campaign)
        return None if needed is None else Question(needed, self.campaign.sequence, self.context())

    def context(self) -> AcquisitionContext:
        """Return what a decision could look at now, whether one is due or not."""
        return self._contexts.context()

    def answer(self, question: Question, proposal: Proposal) -> Consequence:
        """Return what the policy's answer makes.

        Raises:
            InvariantViolation: When the policy broke its contract.
        """
        return decide_proposal(self.campaign, question.needed, question.based_on, proposal)

    def _meter_of(self, plan: CampaignPlan, pool: PoolArrays) -> DatasetMeter[Meter] | None:
        """Return what computes the declared metrics; None where there are none, or they cannot be had here."""
        name, options = plan.metered_by
        if not plan.metrics or not self.campaign.pool.is_whole or (self._code is None and name not in BUILT_IN):
            return None
        code = self._code or INSTALLED
        if declared_metrics(name, options, plan.unit, pool, code) != plan.metrics:
            return None  # the journal is of a version that declared others
        return DatasetMeter(lambda: make_meter(name, options, pool, plan.property_names, code, seed=plan.seed))

    def _measure(self, event: Event) -> TrajectoryPoint:
        """Let the metrics see how the dataset changes; the first time is new to every family."""
        codes = self._put(event)
        self.observation += 1
        changed = self.pool.families if self.observation == 0 else tuple(self.pool.families[code] for code in codes)
        point = self.point()
        self.best.see(self.observation, point)
        self.progress.see(self.observation, point)
        return TrajectoryPoint(self.observation, self.campaign.sequence, point, changed, self.campaign.spent)

    def _put(self, event: Event) -> list[int]:
        """Let the dataset change; return the codes of the families in which it does."""
        campaign, codes = self.campaign, list[int]()
        gone = taken_away_by(event)
        for which in [gone] if gone else [each.candidate_id for each in observations_of(event)]:
            if not campaign.plan.is_of_target(which):
                continue
            index = candidate_index(campaign, which)
            codes.append(int(self.pool.family_codes[index]))
            known = target_value(campaign, index)
            if known is None:
                self._bias.remove(index)
            else:
                self._bias.put(index, codes[-1], known.values)
            if self._declared is not None and known is None:
                self._declared.remove(index)
            elif self._declared is not None and known is not None:
                self._declared.put(index, known.values)
        return codes

    @property
    def account(self) -> str:
        """What the campaign's own policy was told and what that cost, in words; empty where there is nothing to say."""
        meter = None if self._declared is None or self.campaign.plan.metrics_of else self._declared.meter
        return meter.account() if isinstance(meter, AccountingMeter) else ""

    def point(self) -> BiasPoint:
        """Return all metrics: those of the bias, and those that the policy declares."""
        point = self.meter.point()
        if self._declared is None:
            return point
        declared = zip(self.campaign.plan.metrics, self._declared.meter.values(), strict=True)
        return replace(point, declared=tuple(declared))
