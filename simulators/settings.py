"""What a simulator is told: who it is, what it evaluates with, and how patient it is."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, PrivateAttr, field_validator, model_validator

from protocols.settings.code_settings import CodeSettings
from protocols.settings.plug_ins import EVALUATORS, place_of_plug_in, plug_in_names
from protocols.settings.suggestions import require_name
from protocols.settings.user_code import EXPECTED, is_user_code
from protocols.wire.messages import Identifier
from protocols.wire.topics import AGENT_CLIENT, ANY_SIMULATOR
from simulators.calculators.catalogue import CALCULATOR_NAMES, OWN_CALCULATOR
from simulators.calculators.own import AllowedCalculator
from simulators.crystals.settings import CrystalSettings
from simulators.executors.address import scheduler_address
from simulators.faults import FaultSettings
from simulators.instrument.calibration import CalibrationSettings
from simulators.instrument.drift import DriftSettings
from simulators.instrument.instrument import BiasSettings
from simulators.instrument.jumps import JumpSettings
from simulators.instrument.latency import LatencySettings
from simulators.instrument.noise import NoiseSettings
from simulators.instrument.outliers import OutlierSettings
from simulators.oracle_table import OracleTableSettings
from simulators.serving.served import ServedSettings
from simulators.structural_model import StructuralModelSettings

ASE = "ase"
MOLECULES = "molecules"
STRUCTURAL_MODEL = "structural_model"
TABLE = "table"

BUILT_IN = (ASE, MOLECULES, STRUCTURAL_MODEL, TABLE)
"""Evaluators that come with Entropilot."""

RESERVED_IDS = frozenset({ANY_SIMULATOR, AGENT_CLIENT, "campaign", "operator", "recording"})
"""Ids that mean something else: in a topic whichever simulator is free, and the agent; the operator of a scenario as
a client; and files of the agent in a run folder."""


class SimulatorSettings(CodeSettings):
    """Settings of one simulator."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: Identifier = "simulator-1"
    """Its name: a topic level, and part of its client id on the broker."""
    evaluator: str = ASE
    """`ase` (a calculator of ASE, for crystals), `molecules` (GFN2-xTB and B3LYP; needs the extras `molecules` and
    `dft`), `table` (an oracle), `structural_model` (interventions), or a class of yours: `module:Class` or
    `path/to/file.py:Class`, in the folder of the file that names it, or installed."""
    calculator: str = "emt"
    """For ase, and for what a table lacks: emt, lennard_jones, morse, tersoff, stillinger_weber, 7net-0, chgnet; or a
    function of yours that makes a calculator, `module:factory` or `path/to/file.py:factory`, which needs
    `--allow-calculator` too."""
    calculator_parameters: dict[str, Any] = Field(default_factory=dict)
    """For ase: what the calculator takes; keyword arguments of a function of yours."""
    crystals: CrystalSettings = Field(default_factory=CrystalSettings)
    """For ase: what is relaxed, and how far."""
    table: OracleTableSettings | None = None
    """For table: its path, columns and miss policy."""
    structural_model: StructuralModelSettings | None = None
    """For structural_model: its equations; the pool's, unless they are said here."""
    options: dict[str, Any] = Field(default_factory=dict)
    """For a class of yours: its keyword arguments."""
    concurrency: Annotated[int, Field(ge=1, le=256)] = 2
    """Evaluations at once: slots that it announces, and with `executor` the most that it has on the cluster."""
    executor: str = ""
    """Where evaluations run: empty, in processes on this machine; `dask://HOST:PORT`, on the Dask cluster whose
    scheduler is there (`dask+tls://` with Dask's own certificates). A table is looked up in place all the same."""
    cache: str = ""
    """File in which values are kept by what they are of, for every simulator and campaign that names it; empty: none
    are. A relative path is looked for beside the scenario, then where the command was started, and made there."""
    cache_limit_mb: Annotated[int, Field(ge=1, le=1_048_576)] = 1_024
    """Size that the values in the cache may have [MB]; those that were of no use for longest go first."""
    memory_limit_mb: Annotated[int, Field(ge=64)] | None = None
    """Address space that one evaluating process may take [MB]; none: no limit. PyTorch needs about 1000."""
    serves: ServedSettings = Field(default_factory=ServedSettings)
    """What it announces that it can do, beside what its evaluator knows."""
    resend_min_s: Annotated[float, Field(gt=0, le=3600)] = 2.0
    """First pause before an answer without a receipt is repeated [s]; pauses double, with jitter."""
    resend_max_s: Annotated[float, Field(gt=0, le=86400)] = 60.0
    """Longest such pause [s]."""
    latency: LatencySettings = Field(default_factory=LatencySettings)
    """Waiting time added to an evaluation."""
    noise: NoiseSettings | None = None
    """Noise added to what is measured."""
    outliers: OutlierSettings | None = None
    """Measurements that go wrong now and then, and look like any other."""
    bias: BiasSettings | None = None
    """What is always wrong by the same."""
    drift: DriftSettings | None = None
    """What grows wrong from calibration to calibration."""
    jumps: JumpSettings | None = None
    """What is wrong from one measurement to the next, until a calibration."""
    calibration: CalibrationSettings | None = None
    """When it is calibrated, and what drift and jumps are counted by; by default its measurements, and never."""
    faults: FaultSettings = Field(default_factory=FaultSettings)
    """What goes wrong, and how often."""

    _allowed_calculator: AllowedCalculator | None = PrivateAttr(default=None)

    @property
    def allowed_calculator(self) -> AllowedCalculator | None:
        """The calculator of the user's own that a person has allowed; no setting says so, and no dump holds it."""
        return self._allowed_calculator

    def with_allowed_calculator(self, allowed: AllowedCalculator | None) -> Self:
        """Return the settings with what a person has allowed; the calculator is then called as it is there."""
        found = self if allowed is None else self.model_copy(update={"calculator": allowed.name})
        found = found.model_copy()
        found._allowed_calculator = allowed  # noqa: SLF001 - a copy of our own
        return found

    @property
    def calculates_misses(self) -> bool:
        """Whether it is a table that asks a calculator for what it lacks."""
        return self.evaluator == TABLE and self.table is not None and self.table.miss == "calculate"

    @property
    def counted_by(self) -> CalibrationSettings | None:
        """What its drift and jumps are counted by; None where nothing of it ages."""
        ages = self.drift is not None or self.jumps is not None
        return self.calibration or (CalibrationSettings() if ages else None)

    @field_validator("evaluator")
    @classmethod
    def _known_evaluator(cls, evaluator: str) -> str:
        if is_user_code(evaluator) or evaluator in BUILT_IN:
            return evaluator
        if place := place_of_plug_in(EVALUATORS, evaluator):
            return place
        require_name(evaluator, (*BUILT_IN, *plug_in_names(EVALUATORS)), EXPECTED)
        return evaluator

    @field_validator("executor")
    @classmethod
    def _known_executor(cls, executor: str) -> str:
        if executor:
            scheduler_address(executor)
        return executor

    @field_validator("calculator")
    @classmethod
    def _known_calculator(cls, calculator: str) -> str:
        if not is_user_code(calculator):
            require_name(calculator, CALCULATOR_NAMES, OWN_CALCULATOR)
        return calculator

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.id in RESERVED_IDS:
            message = f"the id {self.id!r} is reserved ({', '.join(sorted(RESERVED_IDS))}); choose another"
            raise ValueError(message)
        if self.evaluator == TABLE and self.table is None:
            message = "the evaluator 'table' needs [simulator.table] with path and columns"
            raise ValueError(message)
        if self.evaluator == STRUCTURAL_MODEL and self.structural_model is None:
            message = "the evaluator 'structural_model' needs [simulator.structural_model] with its equations"
            raise ValueError(message)
        counts = self.calibration.counts if self.calibration else "measurements"
        if self.drift is not None and self.drift.per == "hour" and counts == "decisions":
            message = "a drift per hour needs calibration.counts = 'measurements': decisions say nothing of hours"
            raise ValueError(message)
        return self
