"""The checker's own fold of a journal: what the views must then hold, and what may follow what.

Nothing of the product is imported here but the context that a policy is asked with: a checker that shared the rules
with what it checks would share their faults. The journal comes as rows of (number, kind, payload), the payload as plain
JSON values.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from agent.acquisition.base import AcquisitionContext, PoolArrays
from agent.entropy.measure import EntropyMeasure
from tests.support.checker.limits import LimitsAccount

Json = Mapping[str, Any]
Breach = tuple[str, str]
"""An invariant's number, and what broke it."""

REFUSED = "result_refused"
MAX_INTERRUPTED = 20
"""Interrupted attempts after which a candidate may be abandoned."""
MAX_HANDED_ON = 20
"""Attempts of one candidate that may end at no cost because their instrument was away."""
MAX_REQUEUED = 3
"""Times that a candidate may come back."""
OPEN = ("pending", "retry pending", "held")

CONTROLS = frozenset({
    "CandidateExcluded", "ObservationAdded", "CandidatesAdded", "CampaignPaused", "CampaignResumed",
    "CampaignStopping", "ControlNoted", "ControlRefused", "CandidateRequeued", "ObservationRetracted",
    "ObservationAmended", "DecisionApproved", "DecisionVetoed", "BudgetSet",
})  # fmt: skip
"""Events that an operator's message makes."""

HELD_AHEAD = 1
"""Attempts that an instrument holds beyond its slots."""

NOBODY_SERVES = "no instrument can serve it"
"""How the reason begins why a candidate is abandoned that nobody is asked for."""

LIMITED = "; for another attempt "
"""How the reason goes on why a candidate is abandoned that a limit keeps from being asked for again."""

NOTED_ENOUGH = 64
"""Controls that change nothing and are journalled; further ones leave no row."""
REFUSED_ENOUGH = 256
"""The same of those that are refused."""


@dataclass(slots=True)
class Try:
    """One attempt as the journal tells it."""

    candidate: str
    number: int
    recipient: str
    row: dict[str, Any]
    cost: bool = False
    """It counts as one of its candidate's attempts."""
    ended: bool = False
    """By a recorded answer or expiry of its own; one that was overtaken has not ended."""


@dataclass(slots=True)
class Fold:
    """What follows from a journal up to some row."""

    families: Mapping[str, str] | None = None
    """Candidate -> family; None leaves the families of the dataset unchecked."""
    plan: dict[str, Any] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    """Candidates that are no longer available -> pending, retry pending, observed, abandoned or excluded."""
    values: dict[str, float] = field(default_factory=dict)
    deviations: dict[str, float] = field(default_factory=dict)
    """Standard uncertainties of the values, of those that have one."""
    tries: dict[str, Try] = field(default_factory=dict)
    last_try: dict[str, str] = field(default_factory=dict)
    answers: dict[str, list[tuple[str, Json]]] = field(default_factory=dict)
    """Attempt -> the events that an answer to it made."""
    answered_at: dict[str, int] = field(default_factory=dict)
    """Attempt -> the first row that an answer to it made."""
    controlled_at: dict[str, int] = field(default_factory=dict)
    """Message id of a control -> the row that it made."""
    added_at: set[int] = field(default_factory=set)
    """Rows that are values which an operator added."""
    noted: int = 0
    """Controls in the journal that changed nothing."""
    noted_enough: float = math.inf
    """The row from which on a control that changes nothing leaves none."""
    refusals: int = 0
    """Controls in the journal that were refused."""
    held: dict[int, list[str]] = field(default_factory=dict)
    """Decisions that wait for approval -> what they chose."""
    overdue: set[int] = field(default_factory=set)
    """Those that have waited for too long."""
    budget: int = 0
    """Candidates that may be requested, as it is now."""
    limits: LimitsAccount = field(default_factory=LimitsAccount)
    joined: list[Json] = field(default_factory=list)
    """Candidates that operators added to the pool."""
    decisions: list[Json] = field(default_factory=list)
    policy_exhausted: bool = False
    """The policy said that it has nothing more to ask for."""
    fired: Json | None = None
    """The stop rule that fired."""
    stopped: bool = False
    """An operator did."""
    away: dict[str, str] = field(default_factory=dict)
    """Recipients that the journal knows to be away -> why."""
    announced: dict[str, Json] = field(default_factory=dict)
    """Recipients that said what they can do -> what."""
    handed_on: Counter[str] = field(default_factory=Counter)
    requeued: Counter[str] = field(default_factory=Counter)
    interrupted: Counter[str] = field(default_factory=Counter)
    hopeless: set[str] = field(default_factory=set)
    """Candidates that another attempt cannot help."""
    decided_by: dict[str, int] = field(default_factory=dict)
    acquired: list[tuple[int, str]] = field(default_factory=list)
    """Decision and candidate of every result in the dataset, as they came."""
    observations: list[tuple[Any, ...]] = field(default_factory=list)
    finished_at: float = math.inf
    """The row that ended the campaign."""

    @property
    def finished(self) -> bool:
        return self.finished_at < math.inf

    @property
    def measure(self) -> EntropyMeasure:
        """Which entropy the campaign means; journals of old do not say it."""
        return EntropyMeasure(self.plan.get("estimator", "published"), self.plan.get("resolution", 1e-3))

    @property
    def rest_policy(self) -> str:
        """The policy that decides the rest of the budget; empty while the campaign's own does."""
        return "" if self.fired is None else str(self.fired["policy"])

    @property
    def is_stopped_by_rule(self) -> bool:
        return self.fired is not None and not self.fired["policy"]

    @property
    def requested(self) -> int:
        return sum(map(self.cost, self.decided_by))

    def cost(self, which: str) -> int:
        """What a request takes of the budget; the simulation has two methods at most, `cheap` and `dear`."""
        costs = self.plan.get("fidelities") or {}
        if not costs:
            return 1
        is_cheap = "--cheap" in which and self.plan["uses_fidelities"]
        return int(costs["cheap" if is_cheap else "dear"]["cost"])

    def of_target(self, which: str) -> str:
        """The candidate that a row measures by the target; empty where it measures by another method."""
        return "" if "--cheap" in which else which.partition("--")[0]

    def dataset(self) -> list[tuple[str, float]]:
        """Family and value of every candidate that the target has measured, its repetitions taken together."""
        several: dict[str, list[tuple[str, float, float]]] = {}
        for which, _, family, value, *_ in self.observations:
            if name := self.of_target(which):
                several.setdefault(name, []).append((family, value, self.deviations.get(which, 0.0)))
        found = []
        for rows in several.values():
            weights = [1.0 / row[2] ** 2 if all(each[2] for each in rows) else 1.0 for row in rows]
            mean = sum(weight * row[1] for weight, row in zip(weights, rows, strict=True)) / sum(weights)
            found.append((rows[0][0], mean))
        return found

    def may_be_chosen(self, which: str) -> bool:
        """Whether what is left of the budget pays it, and the policy that decides looks at such a row."""
        return self.cost(which) <= self.budget - self.requested and not (self.rest_policy and "--" in which)

    @property
    def pending(self) -> int:
        """Candidates that were chosen and have no outcome."""
        return sum(self.status.get(which) in OPEN for which in self.decided_by)

    def step(self, number: int, kind: str, event: Json) -> Iterator[Breach]:
        """Fold one row; yield what must not be."""
        if self.finished and kind not in {"LateResultKept", "ResultContradicted", "BudgetSet", "ControlRefused"}:
            yield "I12", f"row {number}: {kind} after the campaign was finished"
        if (number == 1) != (kind == "CampaignStarted"):
            yield "I7", f"row {number} is {kind}"
        fold = getattr(self, "_" + re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower(), None)
        if fold is not None:
            yield from fold(number, event)
        if kind in CONTROLS and event.get("message_id") is not None:
            known = self.controlled_at.get(event["message_id"])
            of_several = kind == "ObservationAdded" and known is not None and self._has_added(known, number)
            if known is not None and not of_several:
                yield "I5", f"row {number}: control {event['message_id']} was carried out twice"
            self.controlled_at.setdefault(event["message_id"], number)
        if self.plan:
            yield from self._within_budget(number)

    def _within_budget(self, number: int) -> Iterator[Breach]:
        if self.requested > self.budget:
            yield "I8", f"row {number}: {self.requested} of the budget requested, which is {self.budget}"
        flying = sum(how == "pending" for how in self.status.values())
        if flying > self.plan["parallel"]:
            yield "I8", f"row {number}: {flying} candidates in flight, at most {self.plan['parallel']}"

    def _has_added(self, first: int, number: int) -> bool:
        """Whether all rows from the first on are values of one control."""
        return set(range(first, number)) <= self.added_at

    def _campaign_started(self, _number: int, event: Json) -> Iterator[Breach]:
        self.plan = dict(event["plan"])
        self.budget = self.plan["budget"]
        self.limits = LimitsAccount(self.plan.get("limits"))
        yield from ()

    def _start_set_loaded(self, number: int, event: Json) -> Iterator[Breach]:
        for which, value in zip(event["candidate_ids"], event["values"], strict=True):
            yield from self._observe(number, which, value, "start set", None)

    def _decision_made(self, number: int, event: Json) -> Iterator[Breach]:
        yield from self._asked(number, event)
        for which in event["candidate_ids"]:
            if which in self.status:
                yield "I5", f"row {number}: {which} was chosen, and it is {self.status[which]}"
            self.status[which] = "held" if event.get("held") else "pending"
            self.decided_by[which] = event["decision"]
        if event.get("held"):
            self.held[event["decision"]] = list(event["candidate_ids"])
        if event.get("held", False) != self._must_wait(event["decision"]):
            yield "I15", f"row {number}: decision {event['decision']} is {'' if event.get('held') else 'not '}held"
        if self.overdue:
            yield "I15", f"row {number}: decision {event['decision']} is made, and {self.overdue} wait for too long"
        self.decisions.append(event)

    def _must_wait(self, decision: int) -> bool:
        """Whether a decision must be approved; the simulation draws no rules of candidates."""
        approval = self.plan.get("approval", {"required": "never"})
        return approval["required"] == "always" or (approval["required"] == "first_n" and decision < approval["first"])

    def _decision_approved(self, number: int, event: Json) -> Iterator[Breach]:
        for which in self.held.pop(event["decision"], []):
            if self.status.get(which) == "held":
                self.status[which] = "retry pending"
        self.overdue.discard(event["decision"])
        if not event["message_id"]:
            yield "I15", f"row {number}: decision {event['decision']} is approved by nobody"

    def _decision_vetoed(self, _number: int, event: Json) -> Iterator[Breach]:
        self._drop(event["decision"], "excluded")
        yield from ()

    def _decision_withdrawn(self, number: int, event: Json) -> Iterator[Breach]:
        if not self.stopped and not self.is_stopped_by_rule:
            yield "I15", f"row {number}: decision {event['decision']} is withdrawn, and nobody stopped the campaign"
        self._drop(event["decision"], None)

    def _drop(self, decision: int, how: str | None) -> None:
        for which in self.held.pop(decision, []):
            if self.status.get(which) == "held":
                self._give_back(which, how)
        self.overdue.discard(decision)

    def _give_back(self, which: str, how: str | None) -> None:
        """Nobody was asked for a candidate that was chosen: its unit of the budget is free."""
        decision = self.decided_by.pop(which)
        self.status.pop(which)
        if how is not None:
            self.status[which] = how
        if decision in self.held and not any(self.status.get(each) == "held" for each in self.held[decision]):
            del self.held[decision]
            self.overdue.discard(decision)

    def _approval_overdue(self, number: int, event: Json) -> Iterator[Breach]:
        if event["decision"] not in self.held:
            yield "I15", f"row {number}: decision {event['decision']} is overdue, and waits for nothing"
        self.overdue.add(event["decision"])

    def _budget_set(self, number: int, event: Json) -> Iterator[Breach]:
        if event["before"] != self.budget:
            yield "I8", f"row {number}: the budget was {self.budget}, not {event['before']}"
        self.budget = event["budget"]
        self.finished_at, self.stopped = math.inf, False

    def _candidates_added(self, _number: int, event: Json) -> Iterator[Breach]:
        self.joined += event["candidates"]
        if self.families is not None:
            self.families = dict(self.families) | {each["candidate_id"]: each["family"] for each in event["candidates"]}
        yield from ()

    def _control_refused(self, number: int, _event: Json) -> Iterator[Breach]:
        self.refusals += 1
        if self.refusals == REFUSED_ENOUGH:
            self.noted_enough = min(self.noted_enough, number)
        yield from ()

    def _observation_retracted(self, number: int, event: Json) -> Iterator[Breach]:
        which = event["candidate_id"]
        if self.status.get(which) != "observed" or self.values.get(which) != event["value"]:
            yield "I2", f"row {number}: {which} = {event['value']} is retracted; it is {self.values.get(which)}"
        self.status[which] = "retracted"
        self.values.pop(which, None)
        self.observations = [row for row in self.observations if row[0] != which]
        self.acquired = [pair for pair in self.acquired if pair[1] != which]

    def _observation_amended(self, number: int, event: Json) -> Iterator[Breach]:
        which, (low, high) = event["candidate_id"], self.plan["valid_range"]
        if self.status.get(which) != "observed":
            yield "I2", f"row {number}: {which} is amended, and has no value"
        if not low <= event["value"] <= high:
            yield "I11", f"row {number}: {which} = {event['value']}, expected {low} to {high}"
        self.values[which] = event["value"]
        self.deviations[which] = event["uncertainties"][0]
        self.observations = [
            (row[0], number, row[2], event["value"], *row[4:]) if row[0] == which else row for row in self.observations
        ]

    def _policy_exhausted(self, number: int, event: Json) -> Iterator[Breach]:
        yield from self._asked(number, event)
        if event["based_on"] != number - 1:
            yield "I6", f"row {number}: the policy ended on the ground of row {event['based_on']}, not of all"
        self.policy_exhausted = True

    def _asked(self, number: int, event: Json) -> Iterator[Breach]:
        if event["decision"] != len(self.decisions):
            yield "I5", f"row {number}: decision {event['decision']} follows {len(self.decisions) - 1}"
        if not 1 <= event["based_on"] < number:
            yield "I6", f"row {number}: decision {event['decision']} is based on row {event['based_on']}"
        if event["policy"] != (self.rest_policy or self.plan["policy"]):
            yield (
                "I6",
                f"row {number}: {event['policy']} decided; a stop rule names {self.rest_policy or 'nobody'}",
            )
        if self.is_stopped_by_rule:
            yield "I5", f"row {number}: the policy was asked again after a stop rule had fired"
        if self.policy_exhausted:
            yield "I5", f"row {number}: the policy was asked again after it had nothing more to ask for"

    def _stop_rule_fired(self, number: int, event: Json) -> Iterator[Breach]:
        if self.fired is not None:
            yield "I5", f"row {number}: stop rule {event['rule']} fires after {self.fired['rule']}"
        self.fired = event

    def _campaign_stopping(self, _number: int, _event: Json) -> Iterator[Breach]:
        self.stopped = True
        yield from ()

    def _request_issued(self, number: int, event: Json) -> Iterator[Breach]:
        which, attempt_id = event["candidate_id"], event["attempt_id"]
        before = self.last_try.get(which)
        if attempt_id in self.tries:
            yield "I3", f"row {number}: attempt id {attempt_id} is used twice"
        if which not in self.decided_by:
            yield "I3", f"row {number}: {which} is requested and no decision chose it"
        if before is not None and not self.tries[before].ended:
            yield "I3", f"row {number}: a new attempt of {which}, and {before} neither failed nor expired"
        if event["attempt"] != (1 if before is None else self.tries[before].number + 1):
            yield "I3", f"row {number}: attempt {event['attempt']} of {which} follows {before}"
        if event["recipient"] in self.away:
            yield "I14", f"row {number}: {which} is given to {event['recipient']}, which is away"
        if self.status.get(which) == "held":
            yield "I15", f"row {number}: {which} is requested before anybody approved it"
        yield from self._within_slots(number, event["recipient"])
        for problem in self.limits.use(event.get("takes", {})):
            yield "I16", f"row {number}: {problem}"
        if self.status.get(which) not in OPEN:
            yield "I3", f"row {number}: {which} is requested, and it is {self.status.get(which, 'available')}"
        row = {
            "attempt_id": attempt_id, "candidate_id": which, "decision": event["decision"],
            "attempt": event["attempt"], "recipient": event["recipient"], "sequence": number, "outcome": "",
            "closed_sequence": None,
        }  # fmt: skip
        self.tries[attempt_id] = Try(which, event["attempt"], event["recipient"], row)
        self.last_try[which] = attempt_id
        self.status[which] = "pending"

    def _within_slots(self, number: int, recipient: str) -> Iterator[Breach]:
        """Of several recipients none is asked for more than it can hold."""
        if len(set(self.plan["recipients"])) == 1 or recipient not in self.announced:
            return
        held = sum(each.recipient == recipient and not each.row["outcome"] for each in self.tries.values())
        most = self.announced[recipient]["slots"] + HELD_AHEAD
        if held >= most:
            yield "I14", f"row {number}: {recipient} is asked, and it holds {held} attempts of at most {most}"

    def _request_deferred(self, number: int, event: Json) -> Iterator[Breach]:
        which = event["candidate_id"]
        if self.status.get(which) != "pending" or which in self.last_try:
            yield "I3", f"row {number}: {which} is deferred, and it is {self.status.get(which, 'available')}"
        if not self.announced:
            yield "I14", f"row {number}: {which} is deferred, and nobody has said what it can do"
        self.status[which] = "retry pending"

    def _instrument_announced(self, number: int, event: Json) -> Iterator[Breach]:
        if event["instrument"] not in self.plan["recipients"]:
            yield "I9", f"row {number}: {event['instrument']} announces something, and nobody asks it"
        if self.announced.get(event["instrument"]) == event["abilities"]:
            yield "I10", f"row {number}: {event['instrument']} announces what is known"
        self.announced[event["instrument"]] = event["abilities"]

    def _result_accepted(self, number: int, event: Json) -> Iterator[Breach]:
        which = event["candidate_id"]
        yield from self._answered(number, "ResultAccepted", event)
        named = [each for each in event["quantities"] if each["name"] == self.plan["property_name"]]
        if len(named) != 1 or named[0]["unit"] != self.plan["unit"] or named[0]["value"] != event["value"]:
            yield "I11", f"row {number}: {which} is observed as {event['value']} from {event['quantities']}"
        yield from self._observe(number, which, event["value"], event["simulator"], event["attempt_id"])
        self.deviations[which] = named[0]["standard_deviation"] or 0.0 if named else 0.0
        self._close(number, "observed", attempt_id=event["attempt_id"])
        self._close(number, "overtaken by another attempt", open_of=which)
        self.acquired.append((self.decided_by.get(which, -1), which))

    def _result_contradicted(self, number: int, event: Json) -> Iterator[Breach]:
        yield from self._answered(number, "ResultContradicted", event)

    def _control_noted(self, number: int, _event: Json) -> Iterator[Breach]:
        self.noted += 1
        if self.noted == NOTED_ENOUGH:
            self.noted_enough = number
        yield from ()

    def _late_result_kept(self, number: int, event: Json) -> Iterator[Breach]:
        yield from self._answered(number, "LateResultKept", event)

    def _attempt_failed(self, number: int, event: Json) -> Iterator[Breach]:
        yield from self._answered(number, "AttemptFailed", event)
        yield from self._set_back(number, f"failed: {event['reason']}", event)
        interrupted = event["reason"] == "interrupted"
        self.interrupted[event["candidate_id"]] += interrupted
        self.tries[event["attempt_id"]].cost = not interrupted
        if event["permanent"]:
            self.hopeless.add(event["candidate_id"])

    def _request_expired(self, number: int, event: Json) -> Iterator[Breach]:
        yield from self._known(number, event)
        costs = event.get("costs_attempt", True)
        yield from self._set_back(number, "expired" if costs else "instrument away", event)
        made = self.tries[event["attempt_id"]]
        made.cost = costs
        if not costs:
            self.handed_on[made.candidate] += 1
            if made.recipient not in self.away or self.handed_on[made.candidate] > MAX_HANDED_ON:
                yield "I14", f"row {number}: {event['attempt_id']} costs nothing, and {made.recipient} is not away"

    def _instrument_away(self, number: int, event: Json) -> Iterator[Breach]:
        self.away[event["instrument"]] = event["reason"]
        if not set(self.plan["recipients"]) - set(self.away):
            yield "I14", f"row {number}: {event['instrument']} is away, and nobody is left who could be asked"

    def _instrument_back(self, _number: int, event: Json) -> Iterator[Breach]:
        self.away.pop(event["instrument"], None)
        yield from ()

    def _candidate_abandoned(self, number: int, event: Json) -> Iterator[Breach]:
        which = event["candidate_id"]
        if self.status.get(which) != "retry pending":
            yield "I3", f"row {number}: {which} is abandoned without a failure or an expiry"
        tried = sum(made.cost for made in self.tries.values() if made.candidate == which)
        enough = tried >= self.plan["max_attempts"] or self.interrupted[which] >= MAX_INTERRUPTED
        reason = str(event.get("reason", ""))
        nobody = reason.startswith(NOBODY_SERVES) and set(self.plan["recipients"]) <= self.announced.keys()
        limited = LIMITED in reason and bool(self.limits)
        if not (enough or self.stopped or nobody or limited or which in self.hopeless):
            yield "I14", f"row {number}: {which} is abandoned after {tried} attempts that count"
        self.status[which] = "abandoned"

    def _candidate_requeued(self, number: int, event: Json) -> Iterator[Breach]:
        which = event["candidate_id"]
        if event.get("message_id") is not None:
            yield from self._requeued_by_operator(number, which)
            return
        self.requeued[which] += 1
        made = [each for each in self.tries.values() if each.candidate == which]
        if self.status.get(which) != "abandoned" or which in self.hopeless:
            yield "I3", f"row {number}: {which} comes back, and it is {self.status.get(which)}"
        if self.requeued[which] > MAX_REQUEUED:
            yield "I14", f"row {number}: {which} comes back for the {self.requeued[which]}th time"
        for each in made:
            each.cost = False
        self.status[which] = "retry pending"

    def _requeued_by_operator(self, number: int, which: str) -> Iterator[Breach]:
        """An operator's word ends what was before: no attempt of then counts, nor keeps another from being made."""
        if self.status.get(which) not in {"abandoned", "retracted", "excluded"}:
            yield "I3", f"row {number}: {which} is requeued, and it is {self.status.get(which, 'available')}"
        for each in self.tries.values():
            if each.candidate == which:
                each.cost, each.ended = False, True
        self.hopeless.discard(which)
        self.interrupted[which] = 0
        if which in self.decided_by:
            self.status[which] = "retry pending"
        else:
            self.status.pop(which, None)

    def _candidate_excluded(self, number: int, event: Json) -> Iterator[Breach]:
        which = event["candidate_id"]
        self._close(number, "excluded", open_of=which)
        if self.status.get(which) == "held":
            self._give_back(which, "excluded")
        self.status[which] = "excluded"
        yield from ()

    def _observation_added(self, number: int, event: Json) -> Iterator[Breach]:
        self.added_at.add(number)
        if self.status.get(event["candidate_id"]) == "held":
            self._give_back(event["candidate_id"], None)
        yield from self._observe(number, event["candidate_id"], event["value"], "manual", None)
        self.deviations[event["candidate_id"]] = event.get("standard_deviation") or 0.0
        self._close(number, "observed manually", open_of=event["candidate_id"])

    def _campaign_finished(self, number: int, event: Json) -> Iterator[Breach]:
        if self.pending:
            yield "I12", f"row {number}: finished with {self.pending} candidates in flight"
        ended = self.policy_exhausted or self.is_stopped_by_rule or self.stopped or self.requested >= self.budget
        ended = ended or (
            bool(self.limits) and event["reason"].startswith("no candidate is left that may be asked for")
        )
        left = () if self.families is None else (each for each in self.families if each not in self.status)
        if not ended and any(map(self.may_be_chosen, left)):
            yield "I12", f"row {number}: finished with budget and candidates left, and nobody said so"
        self.finished_at = number

    def _set_back(self, number: int, outcome: str, event: Json) -> Iterator[Breach]:
        which = event["candidate_id"]
        if self.status.get(which) != "pending" or self.last_try.get(which) != event["attempt_id"]:
            yield "I3", f"row {number}: {event['attempt_id']} {outcome}, and nobody waits for it"
        self._close(number, outcome, attempt_id=event["attempt_id"])
        self.status[which] = "retry pending"

    def _observe(
        self, number: int, which: str, value: float | None, source: str, attempt_id: str | None
    ) -> Iterator[Breach]:
        low, high = self.plan["valid_range"]
        if value is None or not math.isfinite(value) or (source != "start set" and not low <= value <= high):
            yield "I11", f"row {number}: {which} = {value} {self.plan['unit']}, expected {low} to {high}"
        if self.status.get(which) == "observed":
            yield "I2", f"row {number}: {which} is observed a second time"
        if self.status.get(which) == "excluded":
            yield "I2", f"row {number}: {which} is observed after it was excluded"
        self.status[which] = "observed"
        self.values[which] = math.nan if value is None else value
        family = None if self.families is None else self.families.get(which)
        self.observations.append((which, number, family, value, self.plan["unit"], source, attempt_id))

    def _answered(self, number: int, kind: str, event: Json) -> Iterator[Breach]:
        yield from self._known(number, event)
        before = self.answers.get(event["attempt_id"], ())
        same = [each for each in before if _is_failure(*each) == _is_failure(kind, event)]
        if any(_is_failure(kind, event) or each["quantities"] == event["quantities"] for _, each in same):
            yield "I2", f"row {number}: {event['attempt_id']} was answered already, and the same is recorded again"
        usable = any(_is_usable(*each) for each in same)
        if usable and kind != "ResultContradicted" and not _is_failure(kind, event):
            yield "I2", f"row {number}: {event['attempt_id']} has a result already, and {kind} follows"
        if kind == "ResultContradicted" and not usable:
            yield "I2", f"row {number}: {event['attempt_id']} is contradicted, and has no result"
        self.answers.setdefault(event["attempt_id"], []).append((kind, event))
        self.answered_at.setdefault(event["attempt_id"], number)
        made = self.tries.get(event["attempt_id"])
        if made is not None and made.recipient not in {"any", event["simulator"]}:
            yield "I9", f"row {number}: {event['simulator']} answered {event['attempt_id']} of {made.recipient}"

    def _known(self, number: int, event: Json) -> Iterator[Breach]:
        made = self.tries.get(event["attempt_id"])
        if made is None or made.candidate != event["candidate_id"]:
            yield "I9", f"row {number}: attempt {event['attempt_id']} of {event['candidate_id']} was never made"

    def _close(self, number: int, outcome: str, *, attempt_id: str = "", open_of: str = "") -> None:
        for key, made in self.tries.items():
            if key == attempt_id or (made.candidate == open_of and not made.row["outcome"]):
                made.row |= {"outcome": outcome, "closed_sequence": number}
                made.ended = made.ended or key == attempt_id

    def pool_now(self, pool: PoolArrays) -> PoolArrays:
        """Return the pool with what operators added to it."""
        if not self.joined:
            return pool
        families = {family: code for code, family in enumerate(pool.families)}
        return replace(
            pool,
            candidate_ids=(*pool.candidate_ids, *(each["candidate_id"] for each in self.joined)),
            features=np.vstack((pool.features, [each["features"] for each in self.joined])),
            family_codes=np.append(pool.family_codes, [families[each["family"]] for each in self.joined]),
        )

    def context(self, pool: PoolArrays) -> tuple[AcquisitionContext, int]:
        """Return what the next decision may look at, and how many candidates it may choose."""
        pool = self.pool_now(pool)
        index = {which: at for at, which in enumerate(pool.candidate_ids)}
        plan, decision = self.plan, len(self.decisions)
        observed = {index[which] for which, how in self.status.items() if how == "observed"}
        pending = {index[which] for which, how in self.status.items() if how in OPEN}
        acquired = [(number, index[which]) for number, which in self.acquired]
        if plan["ordering"] == "in_order":
            lag = max(1, plan["parallel"] // plan["batch"])
            pending = {index[which] for which, number in self.decided_by.items() if number > decision - lag}
            observed -= pending
            acquired = sorted(pair for pair in acquired if pair[0] <= decision - lag)
        if self.rest_policy:  # it chooses candidates, and sees nothing else
            observed, pending = (
                {at for at in each if "--" not in pool.candidate_ids[at]} for each in (observed, pending)
            )
            acquired = [pair for pair in acquired if "--" not in pool.candidate_ids[pair[1]]]
        left = self.budget - self.requested
        free = [
            at for at, which in enumerate(pool.candidate_ids) if which not in self.status and self.may_be_chosen(which)
        ]
        waiting = [index[which] for which, how in self.status.items() if how in OPEN and which not in self.last_try]
        available = self.limits.choosable(pool, free, waiting) if self.limits else free
        together = self.limits.together(pool, available, waiting) if self.limits else len(available)
        digest = hashlib.sha256(f"entropilot/{plan['seed']}/{decision}".encode()).digest()
        context = AcquisitionContext(
            pool=pool,
            observed=np.array(sorted(observed), dtype=np.int64),
            values=np.array([self.values[pool.candidate_ids[at]] for at in sorted(observed)], dtype=np.float64),
            acquired=np.array([at for _, at in acquired], dtype=np.int64),
            uncertainties=np.array([[self.deviations.get(pool.candidate_ids[at], 0.0)] for at in sorted(observed)]),
            pending=np.array(sorted(pending), dtype=np.int64),
            available=np.array(available, dtype=np.int64),
            decision=decision,
            seed=int.from_bytes(digest[:8], "big") >> 1,
            measure=self.measure,
            policy=self.rest_policy,
            cost_left=left,
        )
        costs = [each["cost"] for each in (plan.get("fidelities") or {}).values()] or [1]
        least = min(costs) if plan.get("uses_fidelities") and not self.rest_policy else max(costs)
        return context, min(plan["batch"], left // least, together)


def _is_failure(kind: str, event: Json) -> bool:
    """Whether a lab failed; a result that breaks its contract is none."""
    return kind == "AttemptFailed" and event["reason"] != REFUSED


def _is_usable(kind: str, event: Json) -> bool:
    """Whether a result could be the value, so that another one contradicts it."""
    return kind == "ResultAccepted" or (kind == "LateResultKept" and not event.get("refused"))
