"""Crystals, requests for them, and calculators of silicon, for tests of the lab of crystals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ase import Atoms

from protocols.extras import load
from protocols.wire.messages import CandidateRequest, WantedProperty
from protocols.wire.structure import CrystalStructure
from simulators.calculators.choice import CalculatorChoice
from simulators.crystals.bench import Bench
from simulators.crystals.elements import Elements
from simulators.crystals.limits import Limits
from simulators.crystals.settings import CrystalSettings

SILICON_BOND = 2.352
"""Nearest distance in silicon [Å]."""


def crystal(atoms: Atoms) -> CrystalStructure:
    """Return atoms as a message carries them."""
    return CrystalStructure.from_ase(atoms, decimals=12)


def request(
    structure: CrystalStructure | None,
    *properties: str,
    wanted: tuple[WantedProperty, ...] = (),
    deadline_s: float = 300,
) -> CandidateRequest:
    """Return a request for properties of a crystal."""
    return CandidateRequest(
        campaign="c",
        message_id="m",
        sent_at=datetime(2026, 1, 1, tzinfo=UTC),
        attempt_id="a",
        candidate_id="x",
        decision=0,
        attempt=1,
        family="cubic",
        structure=structure,
        properties=properties or ("formation_energy_per_atom",),
        wanted=wanted,
        deadline_s=deadline_s,
    )


def bench_of(
    choice: CalculatorChoice, atoms: Atoms, settings: CrystalSettings | None = None, limits: Limits | None = None
) -> Bench:
    """Return a crystal on the bench, with an hour of time."""
    return Bench(
        choice, crystal(atoms), settings or CrystalSettings(), Elements(choice), limits or Limits.of(500, 3600.0)
    )


def stillinger_weber() -> CalculatorChoice:
    """Return silicon by Stillinger and Weber (1985), of matscipy."""
    return _silicon("stillinger_weber", "StillingerWeber", "Stillinger_Weber_PRB_31_5262_Si")


def tersoff() -> CalculatorChoice:
    """Return silicon by Tersoff's third potential (1988), of matscipy."""
    return _silicon("tersoff_brenner", "TersoffBrenner", "Tersoff_PRB_39_5566_Si_C")


def _silicon(name: str, form: str, parameters: str) -> CalculatorChoice:
    manybody = load("matscipy.calculators.manybody")
    module = load(f"matscipy.calculators.manybody.explicit_forms.{name}")

    def build() -> Any:
        return manybody.Manybody(**getattr(module, form)(getattr(module, parameters)))

    return CalculatorChoice(name, ("Si",), build, lambda _symbol: SILICON_BOND, {"package": "matscipy"})
