"""A scenario: one TOML file says pool, start set, campaign, broker and simulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.campaign.limits.settings import LimitSettings
from agent.campaign.people.approval import ApprovalSettings
from agent.settings import CampaignSettings
from protocols.link.broker_settings import BrokerSettings
from protocols.mapping.settings import LabSettings
from protocols.signing.settings import SigningSettings
from protocols.tables.format import TableFormat
from protocols.tables.table import TableColumns
from protocols.tracing.settings import TracingSettings
from protocols.wire.messages import Identifier
from scenarios.settings.alloy_designs import AlloyDesignsSettings
from scenarios.settings.crashes import CrashSettings
from scenarios.settings.crystals import CrystalsSettings
from scenarios.settings.dataset import DatasetSettings
from scenarios.settings.instruments import (
    MAX_SIMULATORS,
    require_features_sent,
    require_own_names,
    require_range,
    require_units,
)
from scenarios.settings.live import LiveSettings
from scenarios.settings.models import MODEL_NAMES, ModelName
from scenarios.settings.network import NetworkSettings
from scenarios.settings.operator_actions import MAX_WISHES, OperatorAction, require_possible
from simulators.settings import SimulatorSettings
from simulators.structural_model import StructuralModelSettings

CRYSTALS = "crystals"
EMT_ALLOYS = "emt_alloys"
STRUCTURAL_MODEL = "structural_model"


class FeatureTableSettings(TableFormat):
    """A table of features beside that of the pool, a row a candidate, and how it is written."""

    path: Annotated[str, Field(min_length=1)]
    """The table; it names candidates in the column, and by the words, of the pool's own table."""
    columns: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] = ("*",)
    """Columns with features; globs as in pool.columns.features."""
    id: Annotated[str, Field(min_length=1)] = "id"
    """For pools that are made on the spot: column with the ids of candidates, as `entropilot pool` writes them."""


class LogSettings(TableFormat):
    """A log of values from before the campaign, which nobody drew at random, and how it is written."""

    path: Annotated[str, Field(min_length=1)]
    """The table: the property, and those of the factors that it tells."""


class PoolSettings(BaseModel):
    """Where the candidates come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: Literal["crystals", "emt_alloys", "structural_model", "table"] = "table"
    """`table`: a table of any kind that is read, or a folder of structures with one; `crystals`: crystals made on the
    spot, for any calculator; `emt_alloys`: hypothetical alloys of seven metals, made likewise; `structural_model`:
    interventions in a system of equations."""
    path: str | None = None
    """The table; relative to the scenario file, or to where you are."""
    columns: TableColumns | None = None
    """What the table's columns mean."""
    features: FeatureTableSettings | None = None
    """Features from a table beside it; in place of those that are made of structures or formulas."""
    composition_statistics: bool = False
    """Whether statistics of composition join the features: mean, deviation, smallest, largest, range and mode of 18
    elemental properties."""
    log: LogSettings | None = None
    """Values from before the campaign, where the pool's table is one of designs."""
    structural_model: StructuralModelSettings | None = None
    """For structural_model: its equations."""
    designs: AlloyDesignsSettings | None = None
    """For emt_alloys: a closure of designs in place of crystals that are drawn."""
    crystals: CrystalsSettings | None = None
    """For crystals: which."""
    seed: Annotated[int, Field(ge=0)] = 0
    """For crystals and emt_alloys: seed of the generators."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.source == "table" and (self.path is None or self.columns is None):
            message = "a pool from a table needs path and columns"
            raise ValueError(message)
        if (self.structural_model is None) == (self.source == "structural_model"):
            message = 'source = "structural_model" and [pool.structural_model] go together'
            raise ValueError(message)
        if self.designs and self.source != EMT_ALLOYS:
            message = f'pool.designs makes alloys: it goes with source = "{EMT_ALLOYS}"'
            raise ValueError(message)
        if (self.crystals is None) == (self.source == CRYSTALS):
            message = f'source = "{CRYSTALS}" and [pool.crystals] go together'
            raise ValueError(message)
        if self.log and self.source != "table":
            message = "pool.log stands beside a pool from a table"
            raise ValueError(message)
        if (self.features or self.composition_statistics) and (self.designs or self.source == "structural_model"):
            message = "pool.features and pool.composition_statistics describe a pool from a table, or of drawn crystals"
            raise ValueError(message)
        if self.log and not (self.columns and self.columns.factors):
            message = "pool.log is of factors: name them in pool.columns.factors"
            raise ValueError(message)
        return self


class StartSettings(BaseModel):
    """What is known at the beginning."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    size: Annotated[int, Field(ge=0)] = 0
    """Observations that the campaign begins with."""
    halves: dict[str, Literal["stable", "unstable"]] = Field(default_factory=dict)
    """Family -> the half of it that the start set lacks; empty: a random start."""
    threshold: float | Literal["median"] = "median"
    """Value below which a candidate is stable: a number, or each family's median."""
    minimum_per_family: Annotated[int, Field(ge=0)] = 5
    """Observations that every family gets."""


class EvaluationSettings(BaseModel):
    """What `compare --downstream` trains on the acquired rows, and how it scores it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    models: tuple[ModelName, ...] = ("random_forest", "gradient_boosting", "kernel_ridge")
    """Models to train: random_forest, gradient_boosting, kernel_ridge, ridge, nearest_neighbours."""
    every: Annotated[int, Field(ge=1)] = 50
    """Acquisitions between two scores; start and end are always scored."""
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Part of every family that is held out of the pool, and never available to a policy."""
    targets: tuple[str, ...] = ()
    """What to predict: the property or pool.columns.additional_properties; empty: the property."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.models:
            message = "models is empty; expected one of " + ", ".join(MODEL_NAMES)
            raise ValueError(message)
        for name, given in (("models", self.models), ("targets", self.targets)):
            if len(set(given)) < len(given):
                message = f"{name} names one twice: {', '.join(given)}"
                raise ValueError(message)
        return self


class Scenario(BaseModel):
    """Everything that a run needs to know; `scenarios.settings.derived` says what of it follows from the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Identifier
    """Name of the scenario, and of the campaign unless --campaign says otherwise."""
    about: str = Field("", max_length=500)
    """What it is for, in a sentence or two."""
    pool: PoolSettings
    """Where the candidates come from."""
    start: StartSettings = Field(default_factory=StartSettings)
    """What is known at the beginning."""
    campaign: CampaignSettings
    """What is wanted, at which cost."""
    limits: LimitSettings = Field(default_factory=LimitSettings)
    """What may be asked for, what it takes, and at which pace it is sent, whatever the policy."""
    live: LiveSettings = Field(default_factory=LiveSettings)
    """Where a real lab may be driven."""
    broker: BrokerSettings = Field(default_factory=BrokerSettings)
    """Where the broker is, and how patient to be with it."""
    approval: ApprovalSettings = Field(default_factory=ApprovalSettings)
    """Which decisions wait for an operator's approval."""
    signing: SigningSettings = Field(default_factory=SigningSettings)
    """Which keys messages are signed with; campaign.require_signatures says whether all must be."""
    simulator: SimulatorSettings = Field(default_factory=SimulatorSettings)
    """The lab, or what its instruments share."""
    simulators: Annotated[dict[Identifier, SimulatorSettings], Field(max_length=MAX_SIMULATORS)] = Field(
        default_factory=dict
    )
    """Several instruments by id, each laid over `[simulator]`, which then says what they share; none: the lab is
    `[simulator]`."""
    lab: LabSettings | None = None
    """A lab that speaks its own messages: how they become ours, and ours theirs. Not there: instruments speak ours."""
    operator: Annotated[tuple[OperatorAction, ...], Field(max_length=MAX_WISHES)] = ()
    """What an operator does meanwhile, in this order; `entropilot run` plays the operator."""
    tracing: TracingSettings = Field(default_factory=TracingSettings)
    """Where a trace of each attempt goes; by default nowhere."""
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings)
    """What `compare --downstream` trains, and how it scores it."""
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    """Trouble between the broker and those who talk over it."""
    crashes: CrashSettings = Field(default_factory=CrashSettings)
    """When the whole run is killed."""
    dataset: DatasetSettings = Field(default_factory=DatasetSettings)
    """What is said of the dataset to those who use it later: licence, creators, citation."""

    @field_validator("simulators")
    @classmethod
    def _named_as_they_are(cls, simulators: dict[str, SimulatorSettings]) -> dict[str, SimulatorSettings]:
        require_own_names(simulators)
        return simulators

    @field_validator("operator")
    @classmethod
    def _possible(cls, operator_actions: tuple[OperatorAction, ...]) -> tuple[OperatorAction, ...]:
        require_possible(operator_actions)
        return operator_actions

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        columns = self.pool.columns
        if columns is not None and (columns.property, columns.unit) != (self.campaign.property, self.campaign.unit):
            message = (
                f"the table gives {columns.property!r} in {columns.unit!r}, the campaign wants "
                f"{self.campaign.property!r} in {self.campaign.unit!r}"
            )
            raise ValueError(message)
        known = {} if columns is None else columns.additional_properties
        for name, additional in self.campaign.additional_properties.items() if columns is not None else ():
            if known.get(name) != additional.unit:
                told = f"in {known[name]!r}" if name in known else "not at all (see pool.columns.additional_properties)"
                message = f"the campaign wants {name!r} in {additional.unit!r}, the table gives it {told}"
                raise ValueError(message)
        if self.lab is not None and self.campaign.require_signatures:
            message = (
                "campaign.require_signatures and [lab] exclude each other: whoever speaks the lab's own messages signs "
                "nothing; let the access list of the broker say who may speak"
            )
            raise ValueError(message)
        model = self.pool.structural_model
        if model is not None and model.target != self.campaign.property:
            message = (
                f"the interventions are on {model.target!r} (pool.structural_model.target), the campaign wants "
                f"{self.campaign.property!r}"
            )
            raise ValueError(message)
        wanted = {name: each.unit for name, each in self.campaign.additional_properties.items()}
        require_range(self.instruments, self.campaign.valid_range)
        require_units(self.instruments, wanted | {self.campaign.property: self.campaign.unit})
        require_features_sent(self.instruments, sends_features=self.campaign.send_features)
        self.campaign.take_limits(self.limits)
        return self

    def with_table_paths(self, found: Callable[[str], str]) -> Scenario:
        """Return the scenario with every table's path replaced by what `found` makes of it."""

        def of(simulator: SimulatorSettings) -> SimulatorSettings:
            if simulator.table is None:
                return simulator
            table = simulator.table.model_copy(update={"path": found(simulator.table.path)})
            return simulator.model_copy(update={"table": table})

        def crystals(made: CrystalsSettings | None) -> CrystalsSettings | None:
            if made is None or made.substitutions is None:
                return made
            parents = made.substitutions.model_copy(update={"path": found(made.substitutions.path)})
            return made.model_copy(update={"substitutions": parents})

        def beside(table: FeatureTableSettings | LogSettings | None) -> FeatureTableSettings | LogSettings | None:
            return None if table is None else table.model_copy(update={"path": found(table.path)})

        path = self.pool.path
        paths = {"path": path if path is None else found(path)}
        tables: dict[str, object] = {"features": beside(self.pool.features), "log": beside(self.pool.log)}
        tables["crystals"] = crystals(self.pool.crystals)
        pool = self.pool.model_copy(update=paths | tables)
        simulators = {name: of(each) for name, each in self.simulators.items()}
        return self.model_copy(update={"pool": pool, "simulator": of(self.simulator), "simulators": simulators})

    def with_cache_paths(self, found: Callable[[str], str]) -> Scenario:
        """Return the scenario with the path of every cache of results replaced by what `found` makes of it."""

        def of(simulator: SimulatorSettings) -> SimulatorSettings:
            return simulator.model_copy(update={"cache": found(simulator.cache)}) if simulator.cache else simulator

        simulators = {name: of(each) for name, each in self.simulators.items()}
        return self.model_copy(update={"simulator": of(self.simulator), "simulators": simulators})

    @property
    def instruments(self) -> tuple[SimulatorSettings, ...]:
        """The instruments that we simulate."""
        return tuple(self.simulators.values()) or (self.simulator,)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Whom requests are addressed to."""
        if self.campaign.recipients or self.lab is None:
            return self.campaign.recipients or tuple(instrument.id for instrument in self.instruments)
        return tuple(self.lab.instruments)
