"""Finds a mapping: in a scenario, in a file that holds a `[lab]` section alone, or in the library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from protocols.errors import SettingsError
from protocols.mapping.facts import CampaignFacts
from protocols.mapping.faults import MappingError
from protocols.mapping.mapping import LabMapping, compile_mapping
from protocols.mapping.settings import LabSettings, quantity_of
from protocols.settings.layers import toml_layer
from protocols.settings.problems import settings_error
from protocols.settings.resolve import ResolvedSettings, resolve
from protocols.settings.suggestions import did_you_mean
from scenarios.settings.lab_section import LAB, compiled_lab, facts_of, place_of
from scenarios.settings.library import library_mappings, library_scenarios
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario

SAMPLE: Final = "sample"
"""Name of the campaign, and of the candidate, where a mapping stands alone."""

PATIENT_S: Final = 30 * 86_400.0
"""Time-out of that campaign [s]: none of the mapping's repeats is too late for it."""


class _MappingFile(BaseModel):
    """A file that holds a `[lab]` section alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    lab: LabSettings
    """The section."""


@dataclass(frozen=True, slots=True)
class MappingSource:
    """A mapping with what it is for.

    Attributes:
        mapping: The compiled section.
        facts: The campaign; one that is made up where the mapping stands alone.
        resolved: The scenario, where it is a scenario's, and where its settings are from; None where it stands alone.
    """

    mapping: LabMapping
    facts: CampaignFacts
    resolved: ResolvedSettings[Scenario] | None

    @property
    def scenario(self) -> Scenario | None:
        """The scenario, where it is a scenario's."""
        return None if self.resolved is None else self.resolved.settings


def load_mapping(name: str, settings_file: Path | None = None) -> MappingSource:
    """Return the mapping of a scenario, a file or the library.

    Args:
        name: Which.
        settings_file: A file that is laid over the scenario.

    Raises:
        SettingsError: When there is none, or with everything that is wrong with it, each with its line.
    """
    alone = _file_alone(name)
    if alone is not None and settings_file is None:
        return _of_file(alone)
    if not Path(name).suffix and (near := did_you_mean(name, library_mappings())) and settings_file is None:
        _require_scenario(name, near)
    resolved = load_scenario(name, Overrides(file=settings_file))
    scenario = resolved.settings
    mapping = compiled_lab(scenario)
    if mapping is None:
        raise SettingsError(
            f"The scenario {scenario.name} has no [lab] section, so its instruments speak our own messages",
            expected=f"a scenario with one, a file with one, or one of {', '.join(library_mappings())}",
            action="lay a mapping over it with --settings FILE; `entropilot lab show` prints those of the library",
        )
    facts = mapping_facts(scenario, mapping)
    return MappingSource(mapping, facts, resolved)


def mapping_facts(scenario: Scenario, mapping: LabMapping) -> CampaignFacts:
    """Return what the mapping of a scenario is for, units of all that it tells included."""
    facts = facts_of(scenario)
    return CampaignFacts(facts.campaign, _units(mapping.settings) | dict(facts.units))


def mapping_text(name: str) -> str:
    """Return a mapping of the library as it is written.

    Raises:
        SettingsError: When there is none of that name.
    """
    known = library_mappings()
    if name not in known:
        raise SettingsError(
            f"The library has no mapping {name!r}",
            expected=f"one of {', '.join(known)}",
            action=did_you_mean(name, known) or "choose the one that is most like your lab",
        )
    return known[name].read_text(encoding="utf-8")


def _file_alone(name: str) -> Path | None:
    """Return the file of a mapping that stands alone; None where the name means something else."""
    path = Path(name)
    if path.suffix != ".toml":
        return library_mappings().get(name)
    if not path.is_file():
        return None
    values = toml_layer(path).values
    return path if LAB in values and "pool" not in values and "campaign" not in values else None


def _of_file(path: Path) -> MappingSource:
    resolved = resolve(_MappingFile, [toml_layer(path)])
    settings = resolved.settings.lab
    facts = CampaignFacts(SAMPLE, _units(settings), request_timeout_s=PATIENT_S)
    try:
        return MappingSource(compile_mapping(settings, facts), facts, None)
    except MappingError as error:
        told = [each.told(place_of(each.key, resolved.source_of)) for each in error.problems]
        raise settings_error(told) from None


def _units(settings: LabSettings) -> dict[str, str]:
    units = {name: quantity_of(each).unit or "" for name, each in settings.result.quantities.items()}
    return units | {name: each.unit or "" for name, each in settings.scalars.items()}


def _require_scenario(name: str, near: str) -> None:
    """Check that a name which is like a mapping's is a scenario's.

    Raises:
        SettingsError: When it is none.
    """
    if name not in library_scenarios():
        raise SettingsError(f"There is no mapping {name!r}", expected="a mapping or a scenario", action=near)
