"""One full message of every type, all of one campaign and one attempt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from protocols.wire.messages import (
    AnyMessage,
    CampaignPhase,
    CampaignState,
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    Capabilities,
    CapabilitiesRequest,
    Control,
    ControlAction,
    ControlReceipt,
    ControlStatus,
    FailureReason,
    FamilyBias,
    Health,
    MetricsReport,
    Quantity,
    ReceiptStatus,
    ResultReceipt,
    ServedProperty,
    Status,
)
from protocols.wire.structure import CrystalStructure

CAMPAIGN: Final = "alloys"
SIMULATOR: Final = "sim-1"
SENT_AT: Final = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
ENERGY: Final = Quantity(name="energy", value=-1.25, unit="eV/atom", standard_deviation=0.5)
ALUMINIUM: Final = CrystalStructure(
    cell=((0.0, 2.025, 2.025), (2.025, 0.0, 2.025), (2.025, 2.025, 0.0)),
    symbols=("Al",),
    scaled_positions=((0.0, 0.0, 0.0),),
)

_ENVELOPE: Final[dict[str, Any]] = {"campaign": CAMPAIGN, "message_id": "m-1", "sent_at": SENT_AT}


def request(attempt_id: str = "a-1", **fields: Any) -> CandidateRequest:
    """Return a request; `fields` replace those that it has."""
    usual: dict[str, Any] = {
        "candidate_id": "al-1",
        "decision": 3,
        "attempt": 1,
        "family": "cubic",
        "formula": "Al",
        "structure": ALUMINIUM,
        "properties": ("energy",),
        "deadline_s": 30.0,
    }
    return CandidateRequest(**(_ENVELOPE | {"attempt_id": attempt_id} | usual | fields))


def result(attempt_id: str = "a-1", **fields: Any) -> CandidateResult:
    """Return a result; `fields` replace those that it has."""
    usual: dict[str, Any] = {
        "candidate_id": "al-1",
        "simulator": SIMULATOR,
        "quantities": (ENERGY, Quantity(name="volume", value=16.6, unit="Å^3")),
        "duration_s": 0.125,
    }
    return CandidateResult(**(_ENVELOPE | {"attempt_id": attempt_id} | usual | fields))


def failure(attempt_id: str = "a-1", **fields: Any) -> CandidateFailure:
    """Return a failure; `fields` replace those that it has."""
    usual: dict[str, Any] = {
        "candidate_id": "al-1",
        "simulator": SIMULATOR,
        "reason": FailureReason.CRASHED,
        "detail": "it ended with code 1",
    }
    return CandidateFailure(**(_ENVELOPE | {"attempt_id": attempt_id} | usual | fields))


def receipt(attempt_id: str = "a-1", **fields: Any) -> ResultReceipt:
    """Return a receipt; `fields` replace those that it has."""
    usual: dict[str, Any] = {"simulator": SIMULATOR, "status": ReceiptStatus.ACCEPTED}
    return ResultReceipt(**(_ENVELOPE | {"attempt_id": attempt_id} | usual | fields))


def metrics_report() -> MetricsReport:
    """Return a report of two families."""
    families = (
        FamilyBias(family="cubic", size=12, entropy=-0.75),
        FamilyBias(family="triclinic", size=1, entropy=None),
    )
    return MetricsReport(
        **_ENVELOPE,
        observation=4,
        property="energy",
        unit="eV/atom",
        families=families,
        entropy_range=None,
        entropy_std=0.25,
        mean_gap=0.5,
        starved_family="triclinic",
    )


def status(client: str = SIMULATOR, health: Health = Health.ONLINE) -> Status:
    """Return a simulator's status."""
    return Status(**_ENVELOPE, client=client, role="simulator", health=health, detail="two slots")


def capabilities(**fields: Any) -> Capabilities:
    """Return an announcement; `fields` replace those that it has."""
    usual: dict[str, Any] = {
        "simulator": SIMULATOR,
        "simulated": True,
        "properties": (ServedProperty(name="energy", unit="eV/atom"),),
        "elements": ("Al", "Cu"),
        "slots": 2,
        "expected_s": 0.5,
    }
    return Capabilities(**(_ENVELOPE | usual | fields))


def control(action: ControlAction = ControlAction.ADD_OBSERVATION) -> Control:
    """Return an operator's control."""
    return Control(**_ENVELOPE, action=action, candidate_id="al-1", quantity=ENERGY, reason="measured manually")


def control_receipt(**fields: Any) -> ControlReceipt:
    """Return the receipt of a control; `fields` replace those that it has."""
    usual: dict[str, Any] = {"operator": "ada", "answers": "m-1", "status": ControlStatus.ACCEPTED, "row": 7}
    return ControlReceipt(**(_ENVELOPE | usual | fields))


def campaign_state(**fields: Any) -> CampaignState:
    """Return where a campaign stands; `fields` replace what it says."""
    usual: dict[str, Any] = {"phase": CampaignPhase.RUNNING, "budget": 9, "spent": 3, "in_flight": 1, "abandoned": 0}
    usual |= {"decision": 4, "observation": 3}
    return CampaignState(**(_ENVELOPE | usual | fields))


def one_of_each() -> tuple[AnyMessage, ...]:
    """Return a message of every type."""
    return (
        request(),
        result(),
        failure(),
        receipt(),
        metrics_report(),
        status(),
        control(),
        control_receipt(),
        campaign_state(),
        capabilities(),
        CapabilitiesRequest(**_ENVELOPE),
    )
