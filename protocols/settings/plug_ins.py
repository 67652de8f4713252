"""Policies, evaluators and readers of tables that installed packages bring, found by Python's entry points.

A package says in its `pyproject.toml` what it brings:

    [project.entry-points."entropilot.policies"]
    nearest_neighbours = "their_package.policies:NearestNeighbours"

A name in the settings is then written as `module:Class`, which is what journals and recordings keep. Nothing is
imported to find it: the name and the place stand in the package's metadata.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from protocols.errors import SettingsError

POLICIES: Final = "entropilot.policies"
EVALUATORS: Final = "entropilot.evaluators"
READERS: Final = "entropilot.readers"
GROUPS: Final[Mapping[str, str]] = {"policy": POLICIES, "evaluator": EVALUATORS, "reader": READERS}
"""What a package may bring, and the group of entry points that it stands in."""


@dataclass(frozen=True, slots=True)
class PlugIn:
    """What a package brings.

    Attributes:
        name: By which settings name it; of a reader the ending of its files, without a point.
        place: `module:Class`.
        package: The package, with its version.
    """

    name: str
    place: str
    package: str


@cache
def plug_ins(group: str) -> tuple[PlugIn, ...]:
    """Return what installed packages bring, by name."""
    found = importlib.metadata.entry_points(group=group)
    return tuple(sorted((_plug_in(each) for each in found), key=lambda each: (each.name, each.package)))


def place_of_plug_in(group: str, name: str) -> str:
    """Return the `module:Class` that a name stands for; empty where no package brings it.

    Raises:
        SettingsError: When two packages bring one of this name.
    """
    places = {each.place: each for each in plug_ins(group) if each.name == name}
    if len(places) > 1:
        told = " and ".join(f"{each.package} ({each.place})" for each in places.values())
        raise SettingsError(
            f"Two packages bring {name!r}: {told}",
            expected="one",
            action="name the one that you mean as module:Class, or uninstall the other",
        )
    return next(iter(places), "")


def plug_in_names(group: str) -> tuple[str, ...]:
    """Return the names that packages bring."""
    return tuple(dict.fromkeys(each.name for each in plug_ins(group)))


def _plug_in(entry: importlib.metadata.EntryPoint) -> PlugIn:
    package = "" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
    return PlugIn(entry.name, entry.value.replace(" ", ""), package)
