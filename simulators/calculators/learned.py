"""Machine-learned potentials whose weights come inside their packages: 7net-0 and CHGNet, on one core of the CPU.

Both were trained on relaxations of the Materials Project (MPtrj), near the minima of 89 elements. What lies far from
those they answer all the same: atoms upon each other with +3e10 eV (7net-0) or a plausible -1.2 eV (CHGNet), a single
atom in a large cell with -0.7 eV. So they are asked about nothing like that (`simulators.calculators.soundness`).
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from protocols.extras import load
from simulators.calculators.choice import CalculatorChoice
from simulators.calculators.parameters import CalculatorParameters
from simulators.calculators.provenance import (
    file_digest,
    provenance_of,
    require_installed,
    version_of,
    weights_inside,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ase.calculators.calculator import Calculator

SEVENNET: Final = "7net-0"
CHGNET: Final = "chgnet"

MPTRJ_ELEMENTS: Final = (
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca",
    "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",
    "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce",
    "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir",
    "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Ac", "Th", "Pa", "U", "Np", "Pu",
)  # fmt: skip
"""The 89 elements of MPtrj (B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023)). CHGNet also takes polonium to radium,
which it has never seen."""

LEARNED_LEAST_SHARE: Final = 0.65
"""Least distance that they are asked about, as a share of the sum of covalent radii. Bonds keep above it (H2: 1.2, N2:
0.77); below it the curves of fcc Cu and Al stop being curves: 7net-0 has -1.1e5 eV/atom at 0.4, and CHGNet turns down
again below 0.5."""

SEVENNET_CUTOFF: Final = 5.0
"""How far an atom of 7net-0 sees [Å]."""

CHGNET_CUTOFF: Final = 6.0
"""How far an atom of CHGNet sees [Å]."""


class SevenNetSettings(CalculatorParameters):
    """7net-0 has no parameters: its weights are part of the package."""


class ChgnetSettings(CalculatorParameters):
    """Which of the weights inside the package."""

    model: Literal["0.3.0", "r2scan"] = "0.3.0"
    """`0.3.0` as it was published (PBE), or `r2scan`, transferred to the functional r2SCAN."""


CHGNET_WEIGHTS: Final = {
    "0.3.0": "chgnet_0.3.0_e29f68s314m37.pth.tar",
    "r2scan": "chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar",
}
"""Model -> the file in its folder."""


def sevennet(settings: SevenNetSettings) -> CalculatorChoice:
    """Return 7net-0 (Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024)), the weights of 11 July 2024.

    Raises:
        ExtraMissingError: When sevenn is not installed, or without these weights.
    """
    require_installed("sevenn", SEVENNET)
    weights = weights_inside("sevenn", "pretrained_potentials", "SevenNet_0__11Jul2024", "checkpoint_sevennet_0.pth")

    return _learned(SEVENNET, "sevenn", settings, weights, cutoff=SEVENNET_CUTOFF, build=lambda: _sevennet(weights))


def chgnet(settings: ChgnetSettings) -> CalculatorChoice:
    """Return CHGNet (B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023)).

    Raises:
        ExtraMissingError: When chgnet is not installed, or without these weights.
    """
    require_installed("chgnet", CHGNET)
    weights = weights_inside("chgnet", "pretrained", settings.model, CHGNET_WEIGHTS[settings.model])

    return _learned(CHGNET, "chgnet", settings, weights, cutoff=CHGNET_CUTOFF, build=lambda: _chgnet(settings.model))


@cache
def _sevennet(weights: Path) -> Calculator:
    """Load once in a process: that takes seconds, and a calculator of ASE serves many crystals, one after the other."""
    module = load("sevenn.calculator")
    _one_thread()
    with _quiet():
        made: Calculator = module.SevenNetCalculator(str(weights), device="cpu")
    return made


@cache
def _chgnet(name: str) -> Calculator:
    """Load once in a process, as above."""
    model, dynamics = load("chgnet.model.model"), load("chgnet.model.dynamics")
    _one_thread()
    with _quiet():
        network = model.CHGNet.load(model_name=name, use_device="cpu", verbose=False)
        made: Calculator = dynamics.CHGNetCalculator(model=network, use_device="cpu", on_isolated_atoms="error")
    return made


def _learned(
    name: str,
    package: str,
    settings: CalculatorParameters,
    weights: Path,
    *,
    cutoff: float,
    build: Callable[[], Calculator],
) -> CalculatorChoice:
    def contact_distance(symbol: str) -> float:
        from ase.data import atomic_numbers, covalent_radii

        return 2.0 * float(covalent_radii[atomic_numbers[symbol]])

    named = provenance_of(name, package, settings) | {
        "weights": weights.name,
        "weights_sha256": file_digest(weights),
        "torch": f"torch {version_of('torch')}",
    }
    return CalculatorChoice(
        name,
        MPTRJ_ELEMENTS,
        build,
        contact_distance,
        named,
        least_share=LEARNED_LEAST_SHARE,
        isolation_distance=cutoff,
    )


def _one_thread() -> None:
    """Let PyTorch calculate on one thread: the same sums in the same order, and one core for each evaluation."""
    load("torch").set_num_threads(1)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what packages say while they load from the caller: advice on graphics cards, and on themselves."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield
