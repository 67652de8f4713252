"""A linear structural model as a lab: set one variable to a value, and read all others.

    x = B x + e,    e_i = s_i u_i + h_i c,    u_i uniform of unit variance,    c Laplace of unit variance

The disturbances are not Gaussian, so that the order of causes can be told from passive rows (Shimizu et al., J. Mach.
Learn. Res. 7, 2003 (2006)); c is a confounder that nobody measures, which makes just this go wrong. do(x_j = v)
replaces the equation of x_j by its value, whatever its causes and c say.

Every intervention can be asked for several times: each time is a candidate of its own, with disturbances of its own,
drawn from (seed, its number). So the lab answers the same in every process and after every restart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.wire.limits import MAX_QUANTITIES
from protocols.wire.messages import CandidateRequest, FailureReason, Name, Quantity, cut
from simulators.evaluator import EvaluationFailed

FloatArray = NDArray[np.float64]

PASSIVE: Final = 0
ACTIVE: Final = 1
"""Streams of random numbers: of the rows without an intervention, and of those with one."""

SIGNS: Final = ("plus", "minus")
"""Both values that a variable is set to, so many deviations above and below zero."""


class StructuralModelSettings(BaseModel):
    """Settings of the model, as plain values."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    # TOML has lists where we have tuples.
    variables: Annotated[tuple[Name, ...], Field(strict=False, min_length=2, max_length=MAX_QUANTITIES)]
    """Names of the variables, the target among them."""
    target: Name
    """The variable that effects are asked on; the property of the campaign."""
    edges: Annotated[tuple[Annotated[tuple[Name, Name, float], Field(strict=False)], ...], Field(strict=False)]
    """Cause, effect and weight of each edge."""
    hidden: dict[Name, float] = Field(default_factory=dict)
    """Variable → how strongly the hidden confounder acts on it; empty: there is none."""
    disturbance: dict[Name, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Variable → standard deviation of its own disturbance; 1 where it is not named."""
    passive_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    """Rows without an intervention that are known before the campaign."""
    repeats: Annotated[int, Field(ge=1, le=10_000)] = 25
    """How often each intervention may be asked for."""
    deviations: Annotated[float, Field(gt=0, le=100)] = 2.0
    """How far a variable is set from zero [standard deviations of the passive rows]."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Another seed, other disturbances."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.variables)) < len(self.variables):
            raise ValueError(f"variables names one twice: {', '.join(self.variables)}")
        pairs = [(cause, effect) for cause, effect, _ in self.edges]
        named = [self.target, *(name for pair in pairs for name in pair), *self.hidden, *self.disturbance]
        if unknown := [name for name in named if name not in self.variables]:
            raise ValueError(f"{unknown[0]!r} is none of the variables ({', '.join(self.variables)})")
        if len(set(pairs)) < len(pairs):
            raise ValueError("edges names one twice")
        if len(_ordered(self.variables, pairs)) < len(self.variables):
            raise ValueError("edges have a cycle; expected causes before their effects")
        return self


@dataclass(frozen=True, eq=False)
class StructuralModel:
    """The model that settings describe.

    Args:
        settings: Checked.
    """

    settings: StructuralModelSettings

    @cached_property
    def weights(self) -> FloatArray:
        """B, shape (d, d): B_ij is the direct effect of variable j on variable i."""
        place = {name: index for index, name in enumerate(self.settings.variables)}
        B = np.zeros((len(place), len(place)))
        for cause, effect, weight in self.settings.edges:
            B[place[effect], place[cause]] = weight
        return B

    @cached_property
    def total_effects(self) -> FloatArray:
        """Effect of raising each variable by one on the target, shape (d,): its row of (I − B)⁻¹."""
        inverse = np.linalg.inv(np.eye(len(self.settings.variables)) - self.weights)
        effects: FloatArray = inverse[self.settings.variables.index(self.settings.target)]
        return effects

    @cached_property
    def passive(self) -> FloatArray:
        """The rows without an intervention, shape (passive_rows, d)."""
        generator = np.random.default_rng([self.settings.seed, PASSIVE])
        return np.array([self._row(generator) for _ in range(self.settings.passive_rows)])

    @cached_property
    def interventions(self) -> tuple[tuple[str, int, float], ...]:
        """Id, variable and value of every candidate: all variables but the target, both signs, in turn, repeated."""
        others = [name for name in self.settings.variables if name != self.settings.target]
        spread = self.passive.std(axis=0)
        found = []
        for repeat in range(self.settings.repeats):
            for name in others:
                j = self.settings.variables.index(name)
                for sign, factor in zip(SIGNS, (1.0, -1.0), strict=True):
                    value = factor * self.settings.deviations * float(spread[j])
                    found.append((f"do-{j:02d}-{sign}-{repeat:04d}", j, value))
        return tuple(found)

    def measured(self, number: int) -> FloatArray:
        """Return what the intervention of this number shows: all variables, shape (d,)."""
        _, variable, value = self.interventions[number]
        return self._row(np.random.default_rng([self.settings.seed, ACTIVE, number]), variable, value)

    def _row(self, generator: np.random.Generator, variable: int = -1, value: float = 0.0) -> FloatArray:
        names = self.settings.variables
        own = generator.uniform(-math.sqrt(3), math.sqrt(3), len(names))
        confounder = generator.laplace(0.0, 1 / math.sqrt(2))
        row = np.zeros(len(names))
        for name in _ordered(names, [(cause, effect) for cause, effect, _ in self.settings.edges]):
            i = names.index(name)
            disturbance = self.settings.disturbance.get(name, 1.0) * own[i]
            free = self.weights[i] @ row + disturbance + self.settings.hidden.get(name, 0.0) * confounder
            row[i] = value if i == variable else free
        return row


class StructuralModelLab:
    """Evaluates interventions (`simulators.evaluator.Evaluator`); its values are pure numbers.

    Args:
        settings: Of the model.
    """

    def __init__(self, settings: StructuralModelSettings) -> None:
        self._model = StructuralModel(settings)
        self._number_of = {which: number for number, (which, _, _) in enumerate(self._model.interventions)}

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Return the variables that are asked for.

        Raises:
            EvaluationFailed: `unknown_candidate` for what is no intervention of this model, `unsupported` for a
                property that is none of its variables.
        """
        names = self._model.settings.variables
        number = self._number_of.get(request.candidate_id)
        if number is None:
            detail = f"{request.candidate_id!r} is none of the {len(self._number_of)} interventions of this model"
            raise EvaluationFailed(FailureReason.UNKNOWN_CANDIDATE, cut(detail))
        if lacking := [name for name in request.properties if name not in names]:
            detail = f"{lacking[0]!r} is none of the variables {', '.join(names)}"
            raise EvaluationFailed(FailureReason.UNSUPPORTED, cut(detail))
        row = dict(zip(names, self._model.measured(number).tolist(), strict=True))
        return tuple(Quantity(name=name, value=row[name], unit="") for name in request.properties)


def _ordered(names: tuple[str, ...], pairs: list[tuple[str, str]]) -> list[str]:
    """Return the variables, causes before effects; fewer than all where there is a cycle."""
    causes = {name: {cause for cause, effect in pairs if effect == name} for name in names}
    order: list[str] = []
    while ready := [name for name in names if name not in order and causes[name] <= set(order)]:
        order += ready
    return order
