"""What a simulator is told: who it is, what it evaluates with, and how patient it is."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from protocols.settings.code_settings import CodeSettings
from protocols.settings.suggestions import require_name
from protocols.settings.user_code import EXPECTED, is_user_code
from protocols.wire.messages import Identifier
from protocols.wire.topics import AGENT_CLIENT, ANY_SIMULATOR
from simulators.calculators import CALCULATOR_NAMES
from simulators.faults import FaultSettings
from simulators.noise import LatencySettings, NoiseSettings
from simulators.oracle_table import OracleTableSettings

ASE = "ase"
TABLE = "table"

RESERVED_IDS = frozenset({ANY_SIMULATOR, AGENT_CLIENT, "campaign", "operator", "recording"})
"""Ids that mean something else: in a topic whichever simulator is free, and the agent; the operator of a scenario as
a client; and files of the agent in a run folder."""


class SimulatorSettings(CodeSettings):
    """Settings of one simulator."""

    id: Identifier = Field("simulator-1", description="its name: a topic level, and its client id on the broker")
    evaluator: str = Field(
        ASE,
        description='"ase" (a calculator of ASE), "table" (an oracle), or a class of yours: "module:Class" or '
        '"path/to/file.py:Class", in the folder of the file that names it, or installed',
    )
    calculator: str = Field("emt", description="for ase: emt, lennard_jones or morse")
    calculator_parameters: dict[str, Any] = Field(
        default_factory=dict, description="for ase: what the calculator takes"
    )
    table: OracleTableSettings | None = Field(None, description="for table: path, columns and miss policy")
    options: dict[str, Any] = Field(default_factory=dict, description="for a class of yours: its keyword arguments")
    concurrency: Annotated[int, Field(ge=1, le=256)] = Field(2, description="evaluations at once")
    memory_limit_mb: Annotated[int, Field(ge=64)] | None = Field(
        None, description="address space that one evaluating process may take [MB]; none: no limit"
    )
    resend_min_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        2.0, description="first pause before an answer without a receipt is repeated [s]; pauses double, with jitter"
    )
    resend_max_s: Annotated[float, Field(gt=0, le=86400)] = Field(60.0, description="longest such pause [s]")
    latency: LatencySettings = Field(default_factory=LatencySettings, description="waiting time added to an evaluation")
    noise: NoiseSettings | None = Field(None, description="noise added to what is measured")
    faults: FaultSettings = Field(default_factory=FaultSettings, description="what goes wrong, and how often")

    @field_validator("evaluator")
    @classmethod
    def _known_evaluator(cls, evaluator: str) -> str:
        if not is_user_code(evaluator):
            require_name(evaluator, (ASE, TABLE), EXPECTED)
        return evaluator

    @field_validator("calculator")
    @classmethod
    def _known_calculator(cls, calculator: str) -> str:
        require_name(calculator, CALCULATOR_NAMES)
        return calculator

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.id in RESERVED_IDS:
            message = f"the id {self.id!r} is reserved ({', '.join(sorted(RESERVED_IDS))}); choose another"
            raise ValueError(message)
        if self.evaluator == TABLE and self.table is None:
            message = "the evaluator 'table' needs [simulator.table] with path and columns"
            raise ValueError(message)
        return self
