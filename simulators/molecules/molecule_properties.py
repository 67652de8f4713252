"""The evaluator of molecules: the lowest of five relaxed conformers, and its dipole moment, energy and gap.

The conformer rule is part of every value, and comes back with it: five ETKDGv3 embeddings with named seeds, each at its
MMFF94 minimum, all five relaxed by GFN2-xTB, the lowest energy kept. Where a request has coordinates, the molecule is
relaxed from there alone.

Fidelities: `gfn2`, a tenth of a second a conformer; `b3lyp`, a B3LYP/def2-SVPD point at the geometry that GFN2 keeps,
seconds more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final

from protocols.extras import ExtraMissingError, is_installed, load
from protocols.molecules.conformers import SEEDS
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from protocols.wire.molecule import Molecule
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.molecules import dft, gfn2
from simulators.molecules.gfn2 import ElectronicState, Relaxation
from simulators.molecules.starts import Start, require_bonds, starts_of

DIPOLE: Final = "dipole_moment"
"""Magnitude of the dipole moment [D]."""

ENERGY: Final = "energy"
"""Total energy by the method that is asked for [eV]."""

GAP: Final = "homo_lumo_gap"
"""Lowest empty less highest filled orbital [eV]."""

MOLECULE_PROPERTIES: Final = (DIPOLE, ENERGY, GAP)
"""Every property that this evaluator calculates."""

SHORT_NAMES: Final[Mapping[str, str]] = {"dipole": DIPOLE, "gap": GAP}
"""What tables of molecules call these properties: a request may ask for them by either name."""

_UNITS: Final = {DIPOLE: "D", ENERGY: "eV", GAP: "eV"}

MOLECULE_UNITS: Final = _UNITS | {short: _UNITS[name] for short, name in SHORT_NAMES.items()}
"""Property, by either name -> its unit."""

GFN2: Final = "gfn2"
B3LYP: Final = "b3lyp"

FIDELITIES: Final = (GFN2, B3LYP)
"""Methods that a request may ask for; the first where it names none."""

CONFORMER_RULE: Final = (
    f"{len(SEEDS)} ETKDGv3 embeddings (seeds {' '.join(map(str, SEEDS))}), each at its MMFF94 minimum,"
    f" all relaxed by {gfn2.METHOD}, lowest energy kept"
)
"""What stands behind every value of a molecule that came without coordinates."""

METHOD_VERSION: Final = "1"
"""Goes up whenever the same molecule would get another value: values are kept by it (`simulators.cache`)."""

PACKAGES: Final = ("ase", "numpy", "rdkit", "tblite", "pyscf")
"""What values depend on the version of."""

SAME_ENERGY: Final = 1e-6
"""Energies nearer than this are one [eV]: the first seed of them is kept, whatever the last bits are."""


class MoleculeProperties:
    """Evaluates molecules (`simulators.evaluator.Evaluator`).

    Raises:
        ExtraMissingError: Without the packages of the extra `molecules`.
    """

    def __init__(self) -> None:
        for module in ("rdkit.Chem", "tblite.ase"):
            load(module)

    def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return all properties of the requested molecule, and those that are asked for by a short name so too.

        Raises:
            EvaluationFailed: INVALID_REQUEST without a molecule, or with coordinates of another one; UNSUPPORTED for a
                property or a fidelity that we do not know or cannot offer, and for what is no neutral molecule with
                paired electrons; CALCULATION_FAILED when it does not embed, converge or stay together.
        """
        if unknown := sorted(set(request.properties) - set(MOLECULE_PROPERTIES) - set(SHORT_NAMES)):
            raise EvaluationFailed(
                FailureReason.UNSUPPORTED,
                f"asked for {', '.join(unknown)}; this simulator calculates only {', '.join(MOLECULE_PROPERTIES)}",
            )
        if request.molecule is None:
            raise EvaluationFailed(FailureReason.INVALID_REQUEST, "the request has no molecule; it needs a SMILES")
        measured = self.measure(request.molecule, request.fidelity or FIDELITIES[0])
        by_name = {quantity.name: quantity for quantity in measured.quantities}
        asked = (name for name in request.properties if name in SHORT_NAMES)
        short = (by_name[SHORT_NAMES[name]].model_copy(update={"name": name}) for name in asked)
        return Measurement((*measured.quantities, *short), measured.provenance)

    def identity(self) -> Mapping[str, str]:
        """Return what names every value, and every refusal: method and versions (`NamedEvaluator`)."""
        versions = {f"version_{name}": version(name) if is_installed(name) else "not installed" for name in PACKAGES}
        return {"evaluator": "molecules", "method_version": METHOD_VERSION, "rule": CONFORMER_RULE, **versions}

    def measure(self, molecule: Molecule, fidelity: str) -> Measurement:
        """Return the properties of a molecule by one of `FIDELITIES`; `evaluate` without the envelope.

        Raises:
            EvaluationFailed: As `evaluate`.
        """
        _require_fidelity(fidelity)
        starts = starts_of(molecule)
        relaxed = [gfn2.relax(start.atoms) for start in starts]
        place = _lowest(relaxed)
        kept = relaxed[place]
        if not kept.converged:
            raise EvaluationFailed(
                FailureReason.CALCULATION_FAILED,
                f"the lowest conformer has forces above {gfn2.MAX_FORCE:g} eV/Å after {gfn2.MAX_STEPS} steps",
            )
        require_bonds(kept.atoms, starts[place].bonds)
        state = gfn2.electronic_state(kept.atoms) if fidelity == GFN2 else dft.electronic_state(kept.atoms)
        return Measurement(_quantities(state), _provenance(fidelity, starts, relaxed, place))


def _require_fidelity(fidelity: str) -> None:
    """Refuse a method that we do not know, or that is not installed here."""
    if fidelity not in FIDELITIES:
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED, f"asked for the method {fidelity!r}; this simulator has {', '.join(FIDELITIES)}"
        )
    try:
        if fidelity == B3LYP:
            load("pyscf")
    except ExtraMissingError as error:
        raise EvaluationFailed(FailureReason.UNSUPPORTED, f"the method {fidelity!r} cannot be had: {error}") from None


def _lowest(relaxed: Sequence[Relaxation]) -> int:
    """Return the place of the lowest energy; of energies that are one, the first."""
    lowest = min(each.energy for each in relaxed)
    return next(place for place, each in enumerate(relaxed) if each.energy <= lowest + SAME_ENERGY)


def _quantities(state: ElectronicState) -> tuple[Quantity, ...]:
    values = ((DIPOLE, state.dipole), (ENERGY, state.energy), (GAP, state.gap))
    return tuple(Quantity(name=name, value=value, unit=MOLECULE_UNITS[name]) for name, value in values)


def _provenance(
    fidelity: str, starts: Sequence[Start], relaxed: Sequence[Relaxation], place: int
) -> Mapping[str, str | float]:
    """Say what was done, in short texts and numbers."""
    is_dft, kept = fidelity == B3LYP, starts[place]
    told: dict[str, str | float] = {
        "method": f"{dft.METHOD} at the {gfn2.METHOD} geometry" if is_dft else gfn2.METHOD,
        "conformer_rule": "the coordinates of the request, relaxed" if kept.seed is None else CONFORMER_RULE,
        "conformers": len(relaxed),
        "unconverged": sum(not each.converged for each in relaxed),
        "optimizer": "LBFGS of ASE",
        "fmax_ev_per_angstrom": gfn2.MAX_FORCE,
        "max_steps": gfn2.MAX_STEPS,
        "steps": " ".join(str(each.steps) for each in relaxed),
        "gfn2_energies_ev": " ".join(f"{each.energy:.6f}" for each in relaxed),
    }
    if kept.seed is not None:
        told |= {"seed_kept": kept.seed, "mmff94": "used" if kept.minimised else "no parameters: embedding as it was"}
    if is_dft:
        told["scf_tolerance_hartree"] = dft.ENERGY_TOLERANCE
    packages = ("ase", "rdkit", "tblite", *(("pyscf",) if is_dft else ()))
    return told | {f"version_{package}": version(package) for package in packages}
