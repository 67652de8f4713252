"""When a relaxation has to stop, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

SHARE_OF_DEADLINE: Final = 0.9
"""Share of a request's deadline after which we stop ourselves: a failure that says how far it came is worth more than
a killed process."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long all relaxations of one evaluation may go on.

    Attributes:
        max_steps: Steps of one relaxation.
        until: When all must be done, by `time.monotonic` [s].
        given_s: Time that there was at the beginning [s].
    """

    max_steps: int
    until: float
    given_s: float

    @classmethod
    def of(cls, max_steps: int, deadline_s: float) -> Limits:
        """Return the limits of an evaluation that begins now."""
        given_s = SHARE_OF_DEADLINE * deadline_s
        return cls(max_steps, time.monotonic() + given_s, given_s)


@dataclass(frozen=True, slots=True)
class Steps:
    """How a relaxation went.

    Attributes:
        steps: Of the optimizer.
        force: Largest force, or generalised force, at the end [eV/Å].
    """

    steps: int
    force: float


def require_in_time(limits: Limits, what: str) -> None:
    """Refuse to go on when the time is over.

    Raises:
        EvaluationFailed: DEADLINE_EXCEEDED, naming what was being done.
    """
    if time.monotonic() > limits.until:
        raise EvaluationFailed(
            FailureReason.DEADLINE_EXCEEDED,
            f"{what}: not done within {limits.given_s:.3g} s, {SHARE_OF_DEADLINE:.0%} of the deadline",
        )


def relax(what: str, system: Any, fmax: float, limits: Limits) -> Steps:
    """Relax atoms, or a filter of ASE around them, by LBFGS until no force is larger than `fmax`.

    Args:
        what: Is relaxed, for the messages.
        system: Atoms with a calculator, or a filter of ASE.
        fmax: Largest force at the end [eV/Å].
        limits: Steps and time.

    Raises:
        EvaluationFailed: CALCULATION_FAILED when forces are not finite or the steps do not suffice;
            DEADLINE_EXCEEDED when the time does not.
    """
    from ase.optimize import LBFGS

    optimizer = LBFGS(system, logfile=None)
    largest = float("nan")
    # Atoms on top of each other divide by zero; the check for finite numbers reports it.
    with np.errstate(all="ignore"):
        for _ in _guarded(what, optimizer.irun(fmax=fmax, steps=limits.max_steps)):
            largest = _largest(system.get_forces())
            if not isfinite(largest):
                raise EvaluationFailed(
                    FailureReason.CALCULATION_FAILED,
                    f"{what}: a force is not finite after {optimizer.nsteps} steps; is this a crystal that the"
                    " calculator knows?",
                )
            require_in_time(limits, what)
    if largest > fmax:
        raise EvaluationFailed(
            FailureReason.CALCULATION_FAILED,
            f"{what}: not converged, the largest force is {largest:.3g} eV/Å after {optimizer.nsteps} steps;"
            f" expected {fmax:.3g} within {limits.max_steps}",
        )
    return Steps(int(optimizer.nsteps), largest)


def energy_of(what: str, atoms: Atoms) -> float:
    """Return the potential energy [eV].

    Raises:
        EvaluationFailed: CALCULATION_FAILED when it is no finite number.
    """
    energy = float(atoms.get_potential_energy())
    if not isfinite(energy):
        raise EvaluationFailed(FailureReason.CALCULATION_FAILED, f"{what}: the energy is not finite")
    return energy


def _largest(forces: Any) -> float:
    return float(np.sqrt((np.asarray(forces) ** 2).sum(axis=1).max()))


def _guarded(what: str, steps: Iterable[bool]) -> Iterable[bool]:
    """Turn what linear algebra raises over a cell that blew up into a failure with its reason."""
    try:
        yield from steps
    except (np.linalg.LinAlgError, ArithmeticError, ValueError) as error:
        raise EvaluationFailed(
            FailureReason.CALCULATION_FAILED, f"{what}: the relaxation broke down ({type(error).__name__}: {error})"
        ) from error
