"""The evaluator of crystals: whatever of the catalogue is asked for, by one calculator of ASE.

Several properties of one request share what they stand on: the crystal is relaxed once, and one elastic tensor serves
all moduli. What was done comes back with the values, and so does the crystal as it ended. What did not converge is a
failure with its reason, and a request for several is answered in all or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Final

from protocols.wire.limits import MAX_ABS_VALUE, MAX_DURATION_S, MAX_PROVENANCE, MAX_REMARK_LENGTH
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from protocols.wire.structure import CrystalStructure
from simulators.calculators.catalogue import choose_calculator
from simulators.calculators.choice import CalculatorChoice, require_known_elements
from simulators.calculators.own import AllowedCalculator
from simulators.calculators.soundness import require_sound
from simulators.crystals.bench import Bench
from simulators.crystals.catalogue import CRYSTAL_PROPERTIES, CRYSTAL_UNITS, FORMATION_ENERGY, VOLUME
from simulators.crystals.elements import Elements
from simulators.crystals.limits import Limits
from simulators.crystals.relaxed_cell import RelaxedCell
from simulators.crystals.settings import CrystalSettings
from simulators.evaluator import EvaluationFailed, Measurement

VOLUME_BOUNDS: Final = (0.25, 8.0)
"""Volume per atom that we start from, per volume of the fcc elements: a cell far too dense would have neighbours
without end, and one far too thin has none."""


METHOD_VERSION: Final = "1"
"""Goes up whenever the same crystal would get another value: values are kept by it (`simulators.cache`)."""


class CrystalProperties:
    """Evaluates crystals with one calculator of `simulators.calculators`.

    Args:
        calculator: A name of the list, or a calculator that is chosen already.
        parameters: Its parameters; none for its defaults.
        settings: What is relaxed, and how far.
        allowed: The calculator of the user's own that a person has allowed.

    Raises:
        SettingsError: When the list has no such calculator or it has no such parameter, or it cannot be made.
    """

    def __init__(
        self,
        calculator: str | CalculatorChoice = "emt",
        parameters: Mapping[str, object] | None = None,
        settings: CrystalSettings | None = None,
        allowed: AllowedCalculator | None = None,
    ) -> None:
        chosen = choose_calculator(calculator, parameters, allowed) if isinstance(calculator, str) else calculator
        chosen.build()  # what is heavy is imported before there is a deadline
        self._choice: Final[CalculatorChoice] = chosen
        self._parameters: Final = dict(parameters or {})
        self._settings: Final = settings or CrystalSettings()
        self._elements: Final = Elements(chosen)

    def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return the properties that are asked for, and the volume where it costs nothing.

        Raises:
            EvaluationFailed: INVALID_REQUEST without a structure; UNSUPPORTED for a property, a unit or an element that
                we do not know, and for what has no meaning for this crystal; CALCULATION_FAILED when something does not
                converge; DEADLINE_EXCEEDED when the time does not suffice.
        """
        _require_known(dict.fromkeys(request.properties) | {each.name: each.unit for each in request.wanted})
        if request.structure is None:
            raise EvaluationFailed(
                FailureReason.INVALID_REQUEST, "the request has no structure; a calculation needs cell and positions"
            )
        self.require_sound(request.structure)
        return self.measure(request.structure, request.properties, deadline_s=request.deadline_s)

    def require_sound(self, structure: CrystalStructure) -> None:
        """Refuse what no calculator should be asked about; see `simulators.calculators.soundness`."""
        require_sound(self._choice, structure)

    def measure(
        self, structure: CrystalStructure, properties: Iterable[str], *, deadline_s: float = MAX_DURATION_S
    ) -> Measurement:
        """Return properties of a crystal; `evaluate` without the envelope.

        Args:
            structure: The crystal.
            properties: Names of the catalogue.
            deadline_s: Time that there is [s].

        Raises:
            EvaluationFailed: As `evaluate`.
        """
        require_known_elements(self._choice, structure.symbols)
        self._require_plausible_volume(structure)
        limits = Limits.of(self._settings.max_steps, deadline_s)
        bench = Bench(self._choice, structure, self._settings, self._elements, limits)
        asked = dict.fromkeys(properties)
        if FORMATION_ENERGY in asked:
            asked[VOLUME] = None  # it is there
        values = {name: CRYSTAL_PROPERTIES[name].measure(bench) for name in asked}
        quantities = tuple(_quantity(name, value) for name, value in values.items())
        ended = bench.ended()
        return Measurement(quantities, self._told(bench), structure=CrystalStructure.from_ase(ended.atoms))

    def identity(self) -> Mapping[str, str]:
        """Return what values depend on beside the request: calculator, versions, parameters and settings."""
        return {
            "evaluator": "ase",
            "method_version": METHOD_VERSION,
            "calculator": self._choice.name,
            "parameters": json.dumps(self._parameters, sort_keys=True),
            "settings": self._settings.model_dump_json(),
            **{f"calculator_{name}": told for name, told in self._choice.provenance.items()},
            **{f"version_{package}": version(package) for package in ("ase", "numpy", "scipy")},
        }

    def _require_plausible_volume(self, structure: CrystalStructure) -> None:
        """Refuse a cell that is far denser, or far emptier, than its elements are."""
        count = len(structure.symbols)
        usual = sum(self._usual_volume(symbol) for symbol in structure.symbols) / count
        volume = structure.volume / count
        low, high = VOLUME_BOUNDS
        if not low <= volume / usual <= high:
            raise EvaluationFailed(
                FailureReason.CALCULATION_FAILED,
                f"the structure has {volume:.3g} Å^3 an atom, {volume / usual:.3g} times that of its elements;"
                f" expected {low:g} to {high:g} times",
            )

    def _usual_volume(self, symbol: str) -> float:
        packed = self._elements.packed(symbol)
        return self._choice.contact_distance(symbol) ** 3 / 2.0**0.5 if packed is None else packed.volume

    def _told(self, bench: Bench) -> Mapping[str, str | float]:
        """Return what was done, in short texts and numbers."""
        ended = bench.ended()
        told: dict[str, str | float] = {"calculator": self._choice.name, **self._choice.provenance, "converged": "yes"}
        if isinstance(ended, RelaxedCell):
            told |= {
                "relaxation": "cell and positions, FrechetCellFilter, LBFGS of ASE",
                "steps": ended.steps,
                "fmax_ev_per_angstrom": ended.force,
                "stress_ev_per_cubic_angstrom": ended.stress,
            }
        else:
            told |= {
                "relaxation": "volume at the given shape",
                "steps": ended.evaluations,
                "slope_ev_per_atom": ended.slope,
            }
        told |= {
            name: note[:MAX_REMARK_LENGTH] if isinstance(note, str) else note for name, note in bench.notes.items()
        }
        return dict(list(told.items())[:MAX_PROVENANCE])


def _quantity(name: str, value: float) -> Quantity:
    """Return a value as it travels; one that is none, or beyond all bounds, is what a calculator got wrong."""
    unit = CRYSTAL_UNITS[name]
    if not abs(value) <= MAX_ABS_VALUE:  # NaN is not either
        raise EvaluationFailed(
            FailureReason.CALCULATION_FAILED, f"{name} = {value:.4g} {unit}; expected at most {MAX_ABS_VALUE:g} in size"
        )
    return Quantity(name=name, value=value, unit=unit)


def _require_known(asked: Mapping[str, str | None]) -> None:
    """Refuse properties, and units, that the catalogue does not have."""
    unknown = sorted(set(asked) - set(CRYSTAL_PROPERTIES))
    if unknown:
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED,
            f"asked for {', '.join(unknown)}; this simulator calculates only {', '.join(CRYSTAL_PROPERTIES)}",
        )
    for name, unit in asked.items():
        if unit is not None and unit != CRYSTAL_UNITS[name]:
            raise EvaluationFailed(
                FailureReason.UNSUPPORTED,
                f"asked for {name} in {unit or 'no unit'}; this simulator tells it in {CRYSTAL_UNITS[name] or 'none'}",
            )
