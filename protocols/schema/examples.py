"""Examples of every message, with every optional field: shown in the generated documents, validated by the tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from protocols.wire.messages import (
    AddedCandidate,
    AddedResult,
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
    Message,
    MetricsReport,
    MetricValue,
    Quantity,
    RawFile,
    ReceiptStatus,
    ResultReceipt,
    ServedProperty,
    ServedRange,
    Status,
    WantedProperty,
)
from protocols.wire.molecule import Molecule, MoleculeGeometry
from protocols.wire.structure import CrystalStructure
from protocols.wire.topics import AGENT_CLIENT

M = TypeVar("M", bound=Message)

CAMPAIGN: Final = "demo"
SIMULATOR: Final = "emt-1"
OPERATOR: Final = "alice"

_ATTEMPT: Final = "9f3c6a52-d000017-0a1b2c3d-a1"
_DIGEST: Final = "6f0c1d5b7a9e3f24c8b1d0a7e5f29384b6c7d8e9fa0b1c2d3e4f5061728394a5"
_CANDIDATE: Final = "cuau-l1-3-1adee0fe2af2"
_COMMON_FIELDS: Final[dict[str, Any]] = {
    "campaign": CAMPAIGN,
    "sent_at": datetime(2026, 1, 31, 12, 0, 0, 250000, tzinfo=UTC),
}
_ENERGY: Final = Quantity(name="formation_energy", value=-0.0473, unit="eV/atom", standard_deviation=0.002)
_VOLUME: Final = Quantity(name="volume", value=28.7, unit="Å^3", standard_deviation=0.1)
_CRYSTAL: Final = CrystalStructure(
    cell=((2.8, 0.0, 0.0), (0.0, 2.8, 0.0), (0.0, 0.0, 3.67)),
    symbols=("Cu", "Au"),
    scaled_positions=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),
)

EXAMPLES: Final[tuple[Message, ...]] = (
    CandidateRequest(
        **_COMMON_FIELDS,
        message_id=_ATTEMPT,
        attempt_id=_ATTEMPT,
        candidate_id=_CANDIDATE,
        source_id="CuAu L1₀ / 3",
        decision=17,
        attempt=1,
        family="tetragonal",
        formula="CuAu",
        structure=_CRYSTAL,
        properties=("formation_energy",),
        wanted=(WantedProperty(name="formation_energy", unit="eV/atom"),),
        deadline_s=60.0,
        weight=3.0,
    ),
    CandidateRequest(
        **_COMMON_FIELDS,
        message_id="9f3c6a52-d000019-7b8c9d0e-a1",
        attempt_id="9f3c6a52-d000019-7b8c9d0e-a1",
        candidate_id="row-41",
        source_id="Row 41",
        decision=19,
        attempt=1,
        family="polar",
        parameters=(
            Quantity(name="temperature", value=353.15, unit="K"),
            Quantity(name="flow_rate", value=0.25, unit="mL/min"),
        ),
        labels={"solvent": "ethanol"},
        features=(Quantity(name="log_residence_time", value=2.31, unit="", standard_deviation=0.05),),
        properties=("yield",),
        wanted=(WantedProperty(name="yield", unit="%"),),
        deadline_s=3600.0,
    ),
    CandidateRequest(
        **_COMMON_FIELDS,
        message_id="9f3c6a52-d000018-5e6f7a8b-a1",
        attempt_id="9f3c6a52-d000018-5e6f7a8b-a1",
        candidate_id="fh-f67ab10ad4e4c531",
        decision=18,
        attempt=1,
        family="hydride",
        formula="FH",
        molecule=Molecule(
            smiles="F",
            geometry=MoleculeGeometry(symbols=("F", "H"), positions=((0.0, 0.0, 0.0), (0.65, 0.66, 0.0))),
        ),
        fidelity="gfn2",
        properties=("dipole_moment",),
        deadline_s=60.0,
        weight=3.0,
    ),
    CandidateResult(
        **_COMMON_FIELDS,
        message_id="0d1c8f6be2a94c0e8a51f7f2a4c1b3d5",
        attempt_id=_ATTEMPT,
        candidate_id=_CANDIDATE,
        simulator=SIMULATOR,
        quantities=(_ENERGY,),
        duration_s=0.412,
        provenance={"calculator": "emt", "steps": 4.0},
        structure=_CRYSTAL,
    ),
    CandidateResult(
        **_COMMON_FIELDS,
        message_id="4b7e19c2d05f4a6f8c3e21b6a9d8f704",
        attempt_id="9f3c6a52-d000019-7b8c9d0e-a1",
        candidate_id="row-41",
        simulator=SIMULATOR,
        quantities=(
            Quantity(name="yield", value=62.5, unit="%"),
            Quantity(name="selectivity", value=91.0, unit="%", standard_deviation=0.8),
        ),
        replicates=(62.1, 62.4, 63.0),
        conditions=(Quantity(name="temperature", value=353.4, unit="K", standard_deviation=0.2),),
        remarks={"batch": "2026-01-30 A", "stirred_rpm": 400.0},
        files=(
            RawFile(
                name="chromatogram.csv",
                uri="https://lab.example/raw/41/chromatogram.csv",
                sha256=_DIGEST,
                size_bytes=18_244,
            ),
        ),
        duration_s=2710.0,
    ),
    CandidateFailure(
        **_COMMON_FIELDS,
        message_id="6b0a7c1d9e8f4a2b8c3d5e7f90a1b2c3",
        attempt_id=_ATTEMPT,
        candidate_id=_CANDIDATE,
        simulator=SIMULATOR,
        reason=FailureReason.UNSUPPORTED,
        detail="EMT has no parameters for Fe",
    ),
    ResultReceipt(
        **_COMMON_FIELDS,
        message_id="c2a9e4d07b6f4f19a3d8e5b1f0c7a692",
        attempt_id=_ATTEMPT,
        simulator=SIMULATOR,
        status=ReceiptStatus.LATE,
        detail="the candidate is observed",
        answers="0d1c8f6be2a94c0e8a51f7f2a4c1b3d5",
        row=212,
        digest=_DIGEST,
    ),
    MetricsReport(
        **_COMMON_FIELDS,
        message_id="5e8d2f41c0b94d7a96e3a1f7b2c8d0e4",
        observation=17,
        property="formation_energy",
        unit="eV/atom",
        families=(
            FamilyBias(family="cubic", size=30, entropy=-0.71, entropy_low=-0.92, entropy_high=-0.5),
            FamilyBias(family="tetragonal", size=12, entropy=-1.24, entropy_low=-1.73, entropy_high=-0.75),
        ),
        entropy_range=0.53,
        entropy_std=0.265,
        mean_gap=0.265,
        starved_family="tetragonal",
        row=212,
        digest=_DIGEST,
        evenness=0.951,
        coverage=1.0,
        joint_entropy=-0.263,
        declared=(MetricValue(name="half_width", value=0.412, unit="eV/atom", lower_is_better=True),),
    ),
    Status(
        **_COMMON_FIELDS,
        message_id="a71f3c9be5d24086b9c4f2e8d1a0b657",
        client=AGENT_CLIENT,
        role="agent",
        health=Health.ONLINE,
        detail="back after maintenance",
        instance="agent-3f9c01d27ab4",
        incumbent=True,
    ),
    Control(
        **_COMMON_FIELDS,
        message_id="operator-2026-01-31-1",
        action=ControlAction.ADD_OBSERVATION,
        operator=OPERATOR,
        candidate_id=_CANDIDATE,
        quantity=_ENERGY,
        additional=(_VOLUME,),
        reason="measured manually",
    ),
    Control(
        **_COMMON_FIELDS,
        message_id="operator-2026-01-31-2",
        action=ControlAction.ADD_CANDIDATES,
        operator=OPERATOR,
        candidates=(
            AddedCandidate(
                candidate_id="ch4o-5d0c1f0e9b7a3c21",
                family="organic",
                features=(0.67, 2.24, 1.58),
                formula="CH4O",
                smiles="CO",
                parameters=(Quantity(name="temperature", value=338.0, unit="K", standard_deviation=0.5),),
                labels={"solvent": "water"},
                origin="OH in place of a hydrogen of methane",
            ),
            AddedCandidate(
                candidate_id="cuau-8c0d4b51a2e7",
                family="tetragonal",
                features=(0.5, 0.5, 1.31),
                formula="CuAu",
                structure=_CRYSTAL,
                parent=_CANDIDATE,
                origin="a cell that is longer by 2 %",
            ),
        ),
        reason="worth a look",
    ),
    Control(
        **_COMMON_FIELDS,
        message_id="operator-2026-01-31-3",
        action=ControlAction.ADD_OBSERVATIONS,
        operator=OPERATOR,
        quantities=(
            AddedResult(candidate_id=_CANDIDATE, quantity=_ENERGY, additional=(_VOLUME,)),
            AddedResult(source_id="CuAu L1₀ / 4", quantity=_ENERGY),
        ),
        reason="from last year's notebook",
    ),
    Control(
        **_COMMON_FIELDS,
        message_id="operator-2026-01-31-4",
        action=ControlAction.AMEND_OBSERVATION,
        operator=OPERATOR,
        source_id="CuAu L1₀ / 3",
        quantity=_ENERGY,
        reason="the balance was off by 2 mg",
    ),
    Control(
        **_COMMON_FIELDS,
        message_id="operator-2026-01-31-5",
        action=ControlAction.VETO_DECISION,
        operator=OPERATOR,
        decision=18,
        reason="no more gold",
    ),
    Control(
        **_COMMON_FIELDS,
        message_id="operator-2026-01-31-6",
        action=ControlAction.SET_BUDGET,
        operator=OPERATOR,
        budget=120,
        reason="another week of beam time",
    ),
    ControlReceipt(
        **_COMMON_FIELDS,
        message_id="e4b7c1f09d3a4e6fb2c5d8a1907f6e3b",
        operator=OPERATOR,
        answers="operator-2026-01-31-4",
        action=ControlAction.AMEND_OBSERVATION,
        status=ControlStatus.ACCEPTED,
        detail="formation_energy was -0.0512 eV/atom",
        row=214,
        digest=_DIGEST,
    ),
    CampaignState(
        **_COMMON_FIELDS,
        message_id="17c3e5a9b0d24f68a1c2e3f405162738",
        phase=CampaignPhase.RUNNING,
        reason="decision 18 waits for approval",
        since=datetime(2026, 1, 31, 11, 58, 2, tzinfo=UTC),
        budget=80,
        spent=17,
        in_flight=1,
        abandoned=1,
        decision=19,
        observation=17,
        awaiting_approval=(18,),
        weight=2.0,
        row=214,
        digest=_DIGEST,
    ),
    Capabilities(
        **_COMMON_FIELDS,
        message_id="0d6b1f0c4c3f4a5f9d8e7c6b5a493827",
        simulator=SIMULATOR,
        simulated=True,
        properties=(
            ServedProperty(name="formation_energy", unit="eV/atom"),
            ServedProperty(name="volume", unit="Å^3"),
        ),
        fidelities=("emt",),
        elements=("Ag", "Au", "Cu"),
        parameters=(ServedRange(name="temperature", unit="K", low=300.0, high=900.0),),
        slots=2,
        expected_s=0.5,
    ),
    CapabilitiesRequest(**_COMMON_FIELDS, message_id="5c1d7e2f9a0b4c3d8e6f7a8b9c0d1e2f"),
)
"""In the order of `protocols.wire.messages.MESSAGE_TYPES`; of a type that has parts of either one kind or another, one
with each."""


def examples_of(model: type[M]) -> tuple[M, ...]:
    """Return the examples of a message type."""
    return tuple(message for message in EXAMPLES if isinstance(message, model))
