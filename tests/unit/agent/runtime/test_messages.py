"""What the agent writes is what the other side reads, on the topic where it listens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.campaign.decide import ResultAck
from agent.campaign.events import CampaignPaused, CampaignStarted, CampaignStopping, StartSetLoaded
from agent.campaign.ledger import Ledger
from agent.campaign.people.approval import ApprovalSettings
from agent.campaign.people.controls import ControlAck
from agent.campaign.plan import AdditionalProperty
from agent.campaign.state import Attempt
from agent.entropy.bias import BiasPoint
from agent.pool.candidates import Candidate
from agent.runtime.messages import MessageBuilder
from agent.store.commit import JournalHead
from protocols.wire.codec import decode
from protocols.wire.limits import (
    MAX_ATOMS,
    MAX_BANDED_FAMILIES,
    MAX_FAMILIES,
    MAX_ID_LENGTH,
    MAX_PAYLOAD_BYTES,
    MAX_SOURCE_ID_LENGTH,
)
from protocols.wire.messages import (
    CampaignState,
    CandidateRequest,
    ControlAction,
    ControlReceipt,
    ControlStatus,
    Health,
    MetricsReport,
    Quantity,
    ReceiptStatus,
    ResultReceipt,
    Status,
)
from protocols.wire.molecule import Molecule
from protocols.wire.parameters import ParameterColumns, Parameters
from protocols.wire.structure import CrystalStructure
from tests.support.campaigns import NOW, first_available, small_plan, small_pool, with_source_ids

POOL = small_pool()
ATTEMPT = Attempt("0a1b2c3d-d000004-00000000-a2", "c004", 4, 2, "simulator-7")


def builder(**terms: object) -> MessageBuilder:
    clock: Iterator[int] = iter(range(1000))
    plan = small_plan(POOL, recipients=("simulator-7", "any"), **terms)
    return MessageBuilder(plan, evaluation_deadline_s=12.5, clock=lambda: NOW + timedelta(seconds=next(clock)))


def test_a_request_says_all_that_an_evaluation_needs() -> None:
    item = builder().request(ATTEMPT, POOL.candidate(ATTEMPT.candidate_id))
    message = decode(item.topic, item.payload)
    assert isinstance(message, CandidateRequest)
    assert item.topic == "entropilot/v1/demo/request/simulator-7"
    assert item.attempt_id == message.attempt_id == message.message_id == ATTEMPT.attempt_id
    assert (message.candidate_id, message.decision, message.attempt) == ("c004", 4, 2)
    assert (message.family, message.formula, message.structure) == ("family-1", "X4", None)
    assert (message.properties, message.deadline_s) == (("formation_energy",), 12.5)


def test_a_request_carries_the_structure_of_its_candidate() -> None:
    crystal = CrystalStructure(
        cell=((4.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.1, 4.0)), symbols=("Cu",), scaled_positions=((0.0, 0.0, 0.5),)
    )
    message = decode(*_of(builder().request(ATTEMPT, Candidate("c004", "cubic", "Cu", crystal))))
    assert isinstance(message, CandidateRequest)
    assert message.structure == crystal


def test_a_request_for_a_molecule_carries_its_smiles_and_the_method_that_the_campaign_means() -> None:
    acid = Candidate("c004", "acid", "CH2O2", smiles="O=CO")
    message = decode(*_of(builder(fidelity="b3lyp").request(ATTEMPT, acid)))
    assert isinstance(message, CandidateRequest)
    assert (message.molecule, message.fidelity) == (Molecule(smiles="O=CO"), "b3lyp")
    usual = decode(*_of(builder().request(ATTEMPT, acid)))
    assert isinstance(usual, CandidateRequest)
    assert usual.fidelity is None


def test_a_request_carries_the_id_as_the_table_writes_it_and_nothing_where_there_is_none() -> None:
    (greek,) = (each for each in with_source_ids(POOL).candidates if each.candidate_id == "c004")
    item = builder().request(ATTEMPT, greek)
    message = decode(item.topic, item.payload)
    assert isinstance(message, CandidateRequest)
    assert (message.candidate_id, message.source_id) == ("c004", "C 4/α")
    lawful = decode(*_of(builder().request(ATTEMPT, Candidate("c004", "cubic", source_id="c004"))))
    assert isinstance(lawful, CandidateRequest)
    assert lawful.source_id == "c004", "a lab looks in one field, whatever its ids are like"
    assert b"source_id" not in builder().request(ATTEMPT, POOL.candidate("c004")).payload


def test_the_longest_id_of_a_table_fits_a_request_beside_the_largest_crystal() -> None:
    atoms = [(i / 512 + 1 / 3, i / 500, 2 / 3) for i in range(MAX_ATOMS)]
    crystal = CrystalStructure(
        cell=((40.1234567890123, 1e-17, 0.0), (0.0, 40.1234567890123, 0.0), (0.0, 0.1, 40.1234567890123)),
        symbols=("Cu",) * MAX_ATOMS, scaled_positions=tuple(atoms),
    )  # fmt: skip
    longest = Candidate("c004", "cubic", "Cu", crystal, source_id="材" * MAX_SOURCE_ID_LENGTH)
    assert len(builder().request(ATTEMPT, longest).payload) < MAX_PAYLOAD_BYTES


def test_a_repeated_request_differs_in_its_time_only() -> None:
    writer = builder()
    first, second = (decode(*_of(writer.request(ATTEMPT, POOL.candidate(ATTEMPT.candidate_id)))) for _ in range(2))
    assert first != second
    assert first == second.model_copy(update={"sent_at": first.sent_at})


def test_who_takes_requests_for_all_is_shared_and_the_others_are_addressed() -> None:
    writer = builder()
    assert writer.recipients == {"simulator-7", "any"}
    assert writer.shared_recipients == {"any"}


@pytest.mark.parametrize("status", ReceiptStatus)
def test_a_receipt_goes_to_the_one_that_sent_the_answer(status: ReceiptStatus) -> None:
    topic, payload = builder().receipt(ResultAck("a-1", "simulator-9", status, "x" * 300))
    message = decode(topic, payload)
    assert isinstance(message, ResultReceipt)
    assert topic == "entropilot/v1/demo/receipt/simulator-9"
    assert (message.attempt_id, message.status, message.detail) == ("a-1", status, "x" * 300)
    assert (message.answers, message.row, message.digest) == (None, None, None)


def test_a_receipt_says_which_message_it_answers_and_how_the_journal_ends() -> None:
    ack, head = ResultAck("a-1", "simulator-9", ReceiptStatus.ACCEPTED, "", "m-7"), JournalHead(12, "ab" * 32)
    message = decode(*builder().receipt(ack, head))
    assert isinstance(message, ResultReceipt)
    assert (message.answers, message.row, message.digest) == ("m-7", 12, "ab" * 32)


def test_a_metrics_report_says_every_family_and_figure() -> None:
    point = BiasPoint(("cubic", "hexagonal"), (7, 1), (0.25, None), 1.5, 0.5, 0.25, "hexagonal", 0.75, 0.5, 0.875)
    topic, payload = builder().metrics_report(41, point, ((0.125, 0.375), None))
    message = decode(topic, payload)
    assert isinstance(message, MetricsReport)
    assert topic == "entropilot/v1/demo/metrics"
    assert [(f.family, f.size, f.entropy) for f in message.families] == [("cubic", 7, 0.25), ("hexagonal", 1, None)]
    assert (message.observation, message.entropy_range, message.entropy_std, message.mean_gap) == (41, 1.5, 0.5, 0.25)
    assert [(f.entropy_low, f.entropy_high) for f in message.families] == [(0.125, 0.375), (None, None)]
    assert (message.evenness, message.coverage, message.joint_entropy) == (0.75, 0.5, 0.875)
    assert (message.starved_family, message.property, message.unit) == ("hexagonal", "formation_energy", "eV/atom")


def test_the_largest_metrics_report_can_be_sent() -> None:
    families = tuple(f"{number:04d}".ljust(MAX_ID_LENGTH, "x") for number in range(MAX_FAMILIES))
    entropies = (-1.2345678901234567,) * MAX_FAMILIES
    point = BiasPoint(families, (1_000_000,) * MAX_FAMILIES, entropies, 1.5, 0.5, 0.25, families[0])
    _, payload = builder().metrics_report(1_000_000, point)
    assert len(payload) <= MAX_PAYLOAD_BYTES


def test_the_largest_metrics_report_with_bands_can_be_sent() -> None:
    families = tuple(f"{number:04d}".ljust(MAX_ID_LENGTH, "ü") for number in range(MAX_BANDED_FAMILIES))
    point = BiasPoint(
        families, (10**6,) * MAX_BANDED_FAMILIES, (-1.2345678901234567,) * MAX_BANDED_FAMILIES, 1, 1, 1, "a"
    )
    _, payload = builder().metrics_report(1, point, ((-1.2345678901234567,) * 2,) * MAX_BANDED_FAMILIES)
    assert len(payload) <= MAX_PAYLOAD_BYTES


def test_the_status_and_the_last_will_go_to_the_same_topic() -> None:
    topic, payload = builder().status(Health.ONLINE)
    will_topic, will = builder().status(Health.OFFLINE)
    assert topic == will_topic == "entropilot/v1/demo/status/agent"
    messages = [decode(topic, content) for content in (payload, will)]
    assert [m.health for m in messages if isinstance(m, Status)] == [Health.ONLINE, Health.OFFLINE]


def test_message_ids_are_never_used_twice() -> None:
    writer = builder()
    ids = [decode(*writer.status(Health.ONLINE)).message_id for _ in range(100)]
    assert len(set(ids)) == 100


def _of(item: object) -> tuple[str, bytes]:
    return item.topic, item.payload  # type: ignore[attr-defined]


def test_a_receipt_of_a_control_goes_to_its_operator_with_the_row_that_it_made() -> None:
    ack = ControlAck("ada", ControlStatus.ACCEPTED, "", "m-7", ControlAction.PAUSE, 12)
    topic, payload = builder().control_receipt(ack, JournalHead(12, "ab" * 32))
    message = decode(topic, payload)
    assert isinstance(message, ControlReceipt)
    assert topic == "entropilot/v1/demo/receipt/ada"
    assert (message.answers, message.action, message.status) == ("m-7", ControlAction.PAUSE, ControlStatus.ACCEPTED)
    assert (message.row, message.digest) == (12, "ab" * 32)
    refused = decode(*builder().control_receipt(ControlAck("ada", ControlStatus.REFUSED, "x" * 900)))
    assert isinstance(refused, ControlReceipt)
    assert (refused.row, refused.digest, refused.answers, len(refused.detail)) == (None, None, None, 500)


def test_the_state_of_a_campaign_says_where_it_stands_and_what_it_waits_for() -> None:
    pool = small_pool(12)
    approval = ApprovalSettings(required="always")
    plan = small_plan(pool, budget=6, approval=approval)
    settled = Ledger.of_journal(pool, [CampaignStarted(plan), StartSetLoaded((), ())])
    settled.settle(first_available)
    topic, payload = builder().campaign_state(settled, NOW, JournalHead(3, "ab" * 32))
    message = decode(topic, payload)
    assert isinstance(message, CampaignState)
    assert topic == "entropilot/v1/demo/campaign"
    assert (message.phase, message.reason, message.since) == ("running", "decision 0 waits for approval", NOW)
    assert (message.budget, message.spent, message.in_flight, message.abandoned) == (6, 0, 0, 0)
    assert (message.decision, message.observation, message.awaiting_approval) == (1, 0, (0,))
    assert (message.row, message.digest, message.weight) == (3, "ab" * 32, 1.0)
    for event in (CampaignPaused("lunch", "m-1"), CampaignStopping("enough", "m-2")):
        settled.fold(event)
        told = decode(*builder().campaign_state(settled))
        assert isinstance(told, CampaignState)
        assert told.reason == event.reason


TOLD = Parameters(ParameterColumns(("temperature",), ("K",), ("solvent",)), (353.15,), ("ethanol",))


def test_a_request_carries_what_is_to_be_set_and_the_units_that_are_expected() -> None:
    gap = AdditionalProperty("gap", "eV", (0.0, 9.0), 1.0, 1.0, 1e-3)
    item = builder(additional_properties=(gap,)).request(ATTEMPT, Candidate("c004", "cubic", parameters=TOLD))
    message = decode(item.topic, item.payload)
    assert isinstance(message, CandidateRequest)
    assert message.parameters == (Quantity(name="temperature", value=353.15, unit="K"),)
    assert message.labels == {"solvent": "ethanol"}
    assert [(each.name, each.unit) for each in message.wanted] == [("formation_energy", "eV/atom"), ("gap", "eV")]
    assert (message.replicate, message.features) == (0, ())


def test_a_request_carries_features_where_the_campaign_sends_them_and_there_is_room() -> None:
    atoms = tuple((i / 512 + 1 / 3, i / 500, 2 / 3) for i in range(MAX_ATOMS))
    crystal = CrystalStructure(
        cell=((40.0, 0.0, 0.0), (0.0, 40.0, 0.0), (0.0, 0.1, 40.0)), symbols=("Cu",) * MAX_ATOMS, scaled_positions=atoms
    )
    told = tuple(Quantity(name=f"feature number {place} of many", value=1 / 3, unit="") for place in range(600))
    writer = MessageBuilder(
        small_plan(POOL), evaluation_deadline_s=1.0, clock=lambda: NOW, features_of=lambda _candidate: told
    )
    small, large = (
        decode(*_of(writer.request(ATTEMPT, Candidate("c004", "cubic", structure=each)))) for each in (None, crystal)
    )
    assert isinstance(small, CandidateRequest)
    assert isinstance(large, CandidateRequest)
    assert small.features == told
    assert (large.features, large.structure) == ((), crystal)


def test_a_request_says_the_campaigns_weight_where_it_is_not_the_usual_one() -> None:
    for lab_weight, told in ((1.0, None), (2.5, 2.5)):
        messages = MessageBuilder(small_plan(POOL), evaluation_deadline_s=1.0, clock=lambda: NOW, lab_weight=lab_weight)
        item = messages.request(ATTEMPT, POOL.candidate("c004"))
        message = decode(item.topic, item.payload)
        assert isinstance(message, CandidateRequest)
        assert message.weight == told


def test_all_instruments_are_asked_at_once_what_they_can_do() -> None:
    topic, payload = builder().capabilities_request()
    assert topic == "entropilot/v1/demo/announce"
    assert decode(topic, payload).type == "capabilities_request"
