"""What a scenario's settings follow from where nobody sets them: the table says property and unit, and plays the lab.

Each rule reads what is set so far, so their order counts: instruments take what `[simulator]` says before the pool's
table becomes the lab of those that have no other evaluator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from protocols.settings.derived import Derivation, Rule
from protocols.settings.fields import Key
from protocols.settings.layers import Layer
from protocols.settings.resolve import ResolvedSettings, resolve
from scenarios.settings.model import Scenario
from scenarios.settings.renamed import RENAMED
from simulators.settings import STRUCTURAL_MODEL, TABLE

POOL_COLUMNS: Final = ("pool", "columns")

SAID_BY_THE_TABLE: Final = ("property", "unit", "valid_range")
"""Settings of the campaign that `[pool.columns]` gives under the same name."""


def instruments_share(given: Mapping[str, Any]) -> Iterator[Derivation]:
    """Let the name of an instrument be its id, and let it take from `[simulator]` what it does not say itself."""
    for name, each in _table(given.get("simulators")).items():
        if isinstance(each, Mapping):
            instrument = ("simulators", name)
            yield Derivation((*instrument, "id"), instrument, constant=name)
            yield Derivation(instrument, ("simulator",), merges=True)


def campaign_takes_from_table(given: Mapping[str, Any]) -> Iterator[Derivation]:
    """Let the pool's table say the campaign's property, its unit and its range, and the units of additional ones."""
    columns = _columns(given)
    if columns is None:
        return
    for name in SAID_BY_THE_TABLE:
        yield Derivation(("campaign", name), (*POOL_COLUMNS, name))
    known = _table(columns.get("additional_properties"))
    for name, each in _table(_table(given.get("campaign")).get("additional_properties")).items():
        if isinstance(each, Mapping) and name in known:
            yield Derivation(
                ("campaign", "additional_properties", name, "unit"), (*POOL_COLUMNS, "additional_properties", name)
            )


def table_plays_lab(given: Mapping[str, Any]) -> Iterator[Derivation]:
    """Let the pool's table play every instrument that has no other evaluator, and say what its table leaves out."""
    if _columns(given) is None:
        return
    lab: list[tuple[Key, object]] = [(("simulator",), given.get("simulator", {}))]
    lab += [(("simulators", name), each) for name, each in _table(given.get("simulators")).items()]
    for instrument, each in lab:
        if not isinstance(each, Mapping) or (each.get("evaluator", TABLE) != TABLE and each.get("table") is None):
            continue
        yield Derivation((*instrument, "evaluator"), POOL_COLUMNS, constant=TABLE)
        yield Derivation((*instrument, "table", "path"), ("pool", "path"))
        yield Derivation((*instrument, "table", "columns"), POOL_COLUMNS)


def model_plays_lab(given: Mapping[str, Any]) -> Iterator[Derivation]:
    """Let the pool's structural model play every instrument without another evaluator, and say what is measured."""
    model = _table(_table(given.get("pool")).get("structural_model"))
    if not model:
        return
    equations: Key = ("pool", "structural_model")
    yield Derivation(("campaign", "property"), (*equations, "target"))
    yield Derivation(("campaign", "unit"), equations, constant="")
    for name in model.get("variables", ()):
        if name not in (model.get("target"), _table(given.get("campaign")).get("property")):
            yield Derivation(("campaign", "additional_properties", str(name), "unit"), equations, constant="")
    lab: list[tuple[Key, object]] = [(("simulator",), given.get("simulator", {}))]
    lab += [(("simulators", name), each) for name, each in _table(given.get("simulators")).items()]
    for instrument, each in lab:
        if isinstance(each, Mapping) and each.get("evaluator", STRUCTURAL_MODEL) == STRUCTURAL_MODEL:
            yield Derivation((*instrument, "evaluator"), equations, constant=STRUCTURAL_MODEL)
            yield Derivation((*instrument, "structural_model"), equations, merges=True)


RULES: Final[tuple[Rule, ...]] = (instruments_share, campaign_takes_from_table, table_plays_lab, model_plays_lab)
"""The derived layer of a scenario, in this order."""


def resolve_scenario(layers: Sequence[Layer]) -> ResolvedSettings[Scenario]:
    """Return the scenario of these layers, from the weakest to the strongest, and where every value comes from.

    Raises:
        SettingsError: With everything that is wrong.
    """
    return resolve(Scenario, layers, rules=RULES, renamed=RENAMED)


def scenario_of(values: Mapping[str, Any], source: str = "the settings") -> Scenario:
    """Return the scenario that one table of settings says.

    Args:
        values: The settings, nested by section.
        source: Where they come from, for errors.

    Raises:
        SettingsError: With everything that is wrong.
    """
    return resolve_scenario([Layer(source, values)]).settings


def _columns(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    columns = _table(given.get("pool")).get("columns")
    return columns if isinstance(columns, Mapping) else None


def _table(value: object) -> Mapping[str, Any]:
    """A table of settings; an empty one in place of what is none, which validation refuses."""
    return value if isinstance(value, Mapping) else {}
