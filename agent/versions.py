"""The versions of what decides: they stand in journals and recordings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of what decides."""
    found = {}
    for package in ("entropilot", "numpy", "scipy", "scikit-learn", "pymatgen", "ase", "aiomqtt"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
