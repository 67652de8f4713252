"""Checks a `[lab]` section against its campaign when the scenario is loaded, and says in which line it is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from protocols.mapping.facts import CampaignFacts
from protocols.mapping.faults import Key, MappingError, MappingProblem
from protocols.mapping.mapping import LabMapping, compile_mapping
from protocols.settings.fields import dotted
from protocols.settings.origins import DEFAULT_SOURCE, in_words
from protocols.settings.problems import settings_error
from protocols.settings.resolve import ResolvedSettings
from protocols.wire.topics import ANY_SIMULATOR
from scenarios.settings.model import Scenario

LAB = "lab"
"""Name of the section."""


def require_sound_lab(resolved: ResolvedSettings[Scenario], features: Sequence[str] | None = None) -> None:
    """Check that the `[lab]` section of a scenario can be used, if it has one.

    Args:
        resolved: The scenario, and where each of its settings is from.
        features: Names of the pool's features; None before its table is read.

    Raises:
        SettingsError: With everything that is wrong, each with its place.
    """
    if resolved.settings.lab is None:
        return
    problems = list(_unasked(resolved.settings))
    try:
        compiled_lab(resolved.settings, features)
    except MappingError as error:
        problems += error.problems
    if problems:
        raise settings_error([each.told(place_of(each.key, resolved.source_of)) for each in problems])


def compiled_lab(scenario: Scenario, features: Sequence[str] | None = None) -> LabMapping | None:
    """Return the compiled section; None without one.

    Args:
        scenario: The scenario.
        features: Names of the pool's features; None before its table is read.

    Raises:
        MappingError: With everything that is wrong.
    """
    return None if scenario.lab is None else compile_mapping(scenario.lab, facts_of(scenario, features))


def facts_of(scenario: Scenario, features: Sequence[str] | None = None) -> CampaignFacts:
    """Return what a mapping must know of a scenario; its table is not read for it.

    Args:
        scenario: The scenario.
        features: Names of the pool's features; None before its table is read.
    """
    campaign = scenario.campaign
    additional = {name: each.unit for name, each in campaign.additional_properties.items()}
    return CampaignFacts(
        campaign=scenario.name,
        units={campaign.property: campaign.unit} | additional,
        parameters={} if scenario.pool.columns is None else dict(scenario.pool.columns.parameters),
        features=features,
        parallel=campaign.parallel,
        request_timeout_s=campaign.request_timeout_s,
    )


def place_of(key: Key, source_of: Mapping[str, str]) -> str:
    """Return where a setting of the section is, in words: its own place, or that of the nearest section around it.

    Args:
        key: The setting, below `lab`.
        source_of: Dotted key -> where its value comes from.
    """
    whole = (LAB, *key)
    for length in range(len(whole), 0, -1):
        name = dotted(whole[:length])
        inside = (source for other, source in source_of.items() if other == name or other.startswith(f"{name}."))
        for source in inside:
            if source != DEFAULT_SOURCE:
                return in_words(source)
    return ""


def _unasked(scenario: Scenario) -> Iterator[MappingProblem]:
    """Yield the instruments of the section that nobody asks."""
    asked = scenario.recipients
    for name in () if scenario.lab is None else scenario.lab.instruments:
        if name not in asked:
            others = "requests to any go out in our own messages" if ANY_SIMULATOR in asked else "nobody asks it"
            yield MappingProblem(
                ("instruments", name),
                f"it is not in campaign.recipients ({', '.join(asked)}): {others}",
                action="leave campaign.recipients out, or add it there",
            )
