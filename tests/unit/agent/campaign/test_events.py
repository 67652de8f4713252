"""Events are read back as they were written, and nothing else is read."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from agent.campaign.events import (
    EVENT_TYPES,
    ApprovalOverdue,
    AttemptFailed,
    BecameEven,
    BeginCorrected,
    BudgetSet,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    CandidateAbandoned,
    CandidateExcluded,
    CandidateRequeued,
    CandidatesAdded,
    ControlNoted,
    ControlRefused,
    DecisionApproved,
    DecisionMade,
    DecisionVetoed,
    DecisionWithdrawn,
    Event,
    GapStalled,
    InstrumentAnnounced,
    InstrumentAway,
    InstrumentBack,
    LateResultKept,
    LimitsChanged,
    MeasuredQuantity,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
    PolicyExhausted,
    RequestDeferred,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    ResultContradicted,
    StartSetLoaded,
    StopRuleFired,
    dump_event,
    event_of,
    load_event,
)
from agent.campaign.lab.abilities import Abilities, AbleRange
from agent.campaign.plan import Ordering
from agent.entropy.measure import AS_PUBLISHED, EntropyMeasure
from agent.pool.growth import NewCandidate
from agent.pool.limits.settings import AskingLimits, Supply
from protocols.errors import StoreError
from protocols.tables.account import AccountEntry, Handling
from tests.support.campaigns import NOW, small_plan, small_pool

POOL = small_pool()
MEASURED = (MeasuredQuantity("formation_energy", -0.1, "eV/atom", 0.02), MeasuredQuantity("volume", 11.5, "Å³"))
FOLDED = AccountEntry(handling=Handling.FOLDED, reason="column 'phase': 'Cubic' is 'cubic'", count=1)
EXAMPLES: tuple[Event, ...] = (
    CampaignStarted(
        small_plan(POOL, ordering=Ordering.AS_COMPLETED, policy_options={"patience": 3, "names": ["a"]}),
        {"numpy": "2.2"},
        (AccountEntry(handling=Handling.DROPPED, reason="no value", count=4, places=("line 3",)), FOLDED),
        NOW,
    ),
    StartSetLoaded(("c000", "c001"), (0.1, -1e-300)),
    StartSetLoaded(("c000", "c001"), (0.1, 0.2), ((1.0,), (2.0,)), ((0.01, 0.0), (0.0, 0.5))),
    DecisionMade(
        decision=3, seed=2**63 - 1, based_on=17, policy="etal", fingerprint="f" * 12, candidate_ids=("c002", "c003"),
        scores=(0.1 + 0.2, None), reason="the poorest \u2014 \u0000", runner_up="c004", runner_up_score=1e300,
        target_family="trigonal", details={"predicted_mean": -0.3},
    ),
    DecisionMade(0, 1, 2, "random", "f" * 12, ("c001",), (None,), ""),
    PolicyExhausted(4, 2**63 - 1, 19, "etal_reference", "f" * 12, "every family is left out", {"left_out": 7.0}),
    BecameEven(117, 0.0123, 0.05),
    GapStalled(160, 0.214, 120, 0.2, 119, 0.01),
    StopRuleFired("when_even", 117, 0.0123, "when_even: the mean gap is 0.012 nat", "coverage"),
    StopRuleFired("when_no_gain", 160, 0.2, "when_no_gain: the mean gap is 0.200 nat"),
    RequestIssued("a-1", "c002", 3, 1, "simulator-1"),
    RequestIssued("a-1", "c002", 3, 1, "simulator-1", "C 2/α"),
    RequestIssued("a-1", "c002", 3, 1, "simulator-1", takes={"Pd": 0.1 + 0.2, "cost": 2.0}),
    ResultAccepted("a-1", "c002", "simulator-1", -0.1, MEASURED, 1.25),
    ResultAccepted("a-1", "c002", "simulator-1", -0.1, MEASURED, 1.25, {"method": "GFN2-xTB", "steps": 63.0}),
    ResultAccepted("a-1", "c002", "simulator-1", -0.1, MEASURED, 1.25, {}, "m-8", "simulator-1"),
    LateResultKept("a-2", "c003", "simulator-1", MEASURED, "the candidate is abandoned"),
    LateResultKept("a-2", "c003", "simulator-1", MEASURED, "'J'; expected 'eV'", "m-9", "simulator-1", refused=True),
    ResultContradicted("a-1", "c002", "simulator-1", MEASURED, "m-10", "simulator-1"),
    AttemptFailed("a-2", "c003", "simulator-1", "crashed", 'said "no"\n', permanent=True),
    AttemptFailed("a-2", "c003", "simulator-1", "result_refused", "'J'", False, "m-11", "simulator-1", MEASURED),
    RequestExpired("a-3", "c004"),
    RequestExpired("a-3", "c004", costs_attempt=False),
    RequestDeferred("c002", 3, "it waits for a slot of simulator-1"),
    InstrumentAnnounced("simulator-2", Abilities()),
    InstrumentAnnounced(
        "simulator-2",
        Abilities(
            4, 0.1 + 0.2, (("gap", "eV"),), ("gfn2", "b3lyp"), ("C", "H"), (AbleRange("T", "K", 300.0, 900.0),), True
        ),
        NOW,
        "simulator-2",
    ),
    InstrumentAway("simulator-2", "it says so"),
    InstrumentBack("simulator-2"),
    CandidateRequeued("c004", "simulator-2 is there again"),
    CandidateRequeued("c004", "measure it again", "m-12", "ada", "ada"),
    CandidateAbandoned("c004", "no answer within the deadline (after 3 attempts)"),
    CandidateExcluded("c005", "toxic", "m-1"),
    ObservationAdded("c006", 2.5, "m-2"),
    ObservationAdded("c006", -0.1, "m-2", "ada", "ada", MEASURED, "of last year"),
    ObservationRetracted("c006", 2.5, "spilled", "m-13", "trigonal", "C 6/α", "ada", "ada"),
    ObservationAmended("c006", 2.5, (11.5,), (0.0, 0.1), MEASURED[1], 12.5, "a slip", "m-14", "ada", "ada"),
    CandidatesAdded((NewCandidate("a-1", "f", (0.1 + 0.2, -1e-300), "CH4O", "CO", None, "c001", "OH"),), "why", "m-7"),
    CampaignPaused("by the operator", "m-3"),
    CampaignPaused("by the operator", "m-3", "ada", "ada"),
    CampaignPaused("the last 10 candidates were all abandoned"),
    CampaignResumed("the agent was started again"),
    CampaignResumed("by the operator", "m-4"),
    CampaignStopping("by the operator", "m-5"),
    ControlNoted("pause", "m-6"),
    ControlRefused("retract_observation", "retract_observation: it has no value", "m-15", "ada", "ada"),
    DecisionMade(0, 1, 2, "random", "f" * 12, ("c001",), (None,), "", held=True),
    DecisionApproved(3, "go on", "m-16", "ada", "ada"),
    DecisionVetoed(3, "no more gold", "m-17", "ada", "ada"),
    DecisionWithdrawn(3, "the campaign was stopped before it was approved"),
    ApprovalOverdue(3, 3600.0),
    BudgetSet(120, 80, "another week", "m-18", "ada", "ada"),
    BudgetSet(120, 80, "the campaign was resumed with it"),
    BeginCorrected(NOW),
    LimitsChanged(AskingLimits(elements=("Fe", "O"), parameters={"x": (0.1, 2)}, cost=Supply(available=9, column="x"))),
    CampaignFinished("the budget is spent"),
)  # fmt: skip


def test_the_examples_are_of_every_kind() -> None:
    assert {type(event) for event in EXAMPLES} == set(EVENT_TYPES) == set(get_args(Event))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_an_event_is_read_back_equal_and_writes_the_same_text_again(event: Event) -> None:
    kind, payload = dump_event(event)
    again = load_event(kind, payload)
    assert type(again) is type(event)
    assert again == event
    assert dump_event(again) == (kind, payload)
    assert event_of(kind, json.loads(payload)) == event


def test_a_result_of_before_labs_said_how_they_measure_is_read() -> None:
    kind, payload = dump_event(ResultAccepted("a-1", "c002", "simulator-1", -0.1, MEASURED, 1.25))
    content = json.loads(payload)
    assert content.pop("provenance") == {}
    assert content.pop("structure") is None
    assert load_event(kind, json.dumps(content)) == load_event(kind, payload)


def test_a_journal_of_before_readings_ids_of_tables_and_limits_were_told_is_read() -> None:
    kind, payload = dump_event(EXAMPLES[0])
    content = json.loads(payload)
    assert len(content.pop("reading")) == 2
    content["plan"].pop("limits")
    old = load_event(kind, json.dumps(content))
    assert isinstance(old, CampaignStarted)
    assert old.reading == ()
    kind, payload = dump_event(RequestIssued("a-1", "c002", 3, 1, "simulator-1"))
    content = json.loads(payload)
    assert content.pop("source_id") == ""
    assert content.pop("takes") == {}
    assert load_event(kind, json.dumps(content)) == load_event(kind, payload)


def test_an_unknown_kind_is_refused_by_name_and_blames_the_version() -> None:
    with pytest.raises(StoreError, match=r"'CandidateCloned'.*use the version of Entropilot that wrote this run"):
        load_event("CandidateCloned", "{}")


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        "[]",
        '{"attempt_id": "a-3"}',
        '{"attempt_id": "a-3", "candidate_id": 4}',
        '{"attempt_id": null, "candidate_id": "c004"}',
    ],
)
def test_a_damaged_payload_is_refused_with_its_kind(payload: str) -> None:
    with pytest.raises(StoreError, match=r"kind RequestExpired.*restore the run folder"):
        load_event("RequestExpired", payload)


@pytest.mark.parametrize("content", [None, [], {"attempt_id": "a-3"}, {"attempt_id": None, "candidate_id": "c004"}])
def test_damaged_content_is_refused_like_a_damaged_payload(content: object) -> None:
    with pytest.raises(StoreError, match=r"kind RequestExpired.*restore the run folder"):
        event_of("RequestExpired", content)


def test_a_plan_that_does_not_say_its_estimator_meant_the_published_one() -> None:
    kind, payload = dump_event(EXAMPLES[0])
    content = json.loads(payload)
    assert (content["plan"].pop("estimator"), content["plan"].pop("resolution")) == ("published", 1e-3)
    old = load_event(kind, json.dumps(content))
    assert isinstance(old, CampaignStarted)
    assert old.plan.measure == AS_PUBLISHED == EntropyMeasure("published")


def test_an_unknown_estimator_in_a_plan_is_refused() -> None:
    kind, payload = dump_event(EXAMPLES[0])
    with pytest.raises(StoreError, match="kind CampaignStarted"):
        load_event(kind, payload.replace('"published"', '"by_eye"'))


def test_an_unknown_ordering_in_a_plan_is_refused() -> None:
    kind, payload = dump_event(EXAMPLES[0])
    with pytest.raises(StoreError, match="kind CampaignStarted"):
        load_event(kind, payload.replace("as_completed", "by_mood"))


def test_a_plan_whose_campaign_could_be_a_path_is_refused() -> None:
    kind, payload = dump_event(EXAMPLES[0])
    assert '"campaign":"demo"' in payload
    with pytest.raises(StoreError, match="kind CampaignStarted"):
        load_event(kind, payload.replace('"campaign":"demo"', '"campaign":"../demo"'))
