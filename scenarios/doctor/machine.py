"""Python, the packages and what the system lets a process have: as `entropilot` itself finds them."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from protocols.errors import EntropilotError
from scenarios.display.system_limits import require_enough_files
from scenarios.doctor.checks import Check, of_error, passed, warned

OURS: Final = "entropilot"
"""The distribution whose requirements are looked at."""

NEWEST_TRIED: Final = (3, 14)
"""Newest Python that it is tried on; a newer one may well do."""


def look_at_python(version: tuple[int, int, int] | None = None) -> Check:
    """Look at the Python that runs this.

    Args:
        version: Of that Python; of this one by default.
    """
    found = sys.version_info[:3] if version is None else version
    words = "Python " + ".".join(map(str, found))
    if found[:2] > NEWEST_TRIED:
        return warned(
            "python",
            f"{words}, which is newer than those that Entropilot is tried on",
            f"where something fails, use Python {NEWEST_TRIED[0]}.{NEWEST_TRIED[1]}",
        )
    return passed("python", words)  # an older one does not come so far


def look_at_packages() -> list[Check]:
    """Look whether each package that ours asks for is there, in a version that it can work with."""
    try:
        requirements, own = metadata.requires(OURS) or [], metadata.version(OURS)
    except metadata.PackageNotFoundError:
        return [
            warned(
                "packages", "Entropilot is not installed, but run from its source", "pip install it, in its own venv"
            )
        ]
    wanted = [each for text in requirements if (each := needed(text)) is not None]
    wrong = [check for each in wanted if (check := judge_package(each, _installed(each.name))) is not None]
    return wrong or [passed("packages", f"entropilot {own} and the {len(wanted)} packages that it needs")]


def needed(text: str) -> Requirement | None:
    """Return a requirement; None of one for another system or Python, or of an extra, or that cannot be read."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    return requirement if requirement.marker is None or requirement.marker.evaluate({"extra": ""}) else None


def judge_package(requirement: Requirement, version: str | None) -> Check | None:
    """Return what is wrong with a package; None where nothing is.

    It only warns: what is needed for all has been imported by now, and what lacks is named again where it is needed.

    Args:
        requirement: What is asked for.
        version: What is there; None where it is not.
    """
    action = f"pip install '{requirement}'"
    if version is None:
        return warned("packages", "is not installed", action, subject=requirement.name)
    if not requirement.specifier.contains(version, prereleases=True):
        found = f"is of version {version}, and {requirement.specifier} is asked for"
        return warned("packages", found, action, subject=requirement.name)
    return None


def look_at_limits() -> Check:
    """Look whether this process may open as many files as a run needs."""
    try:
        require_enough_files()
    except EntropilotError as error:
        return of_error("open_files", error)
    return passed("open_files", "enough files may be open at once")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
