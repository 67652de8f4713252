"""The packages that an installation may lack: each is imported here and nowhere else, by the extra that brings it."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Final

from protocols.errors import SettingsError

EXTRA_OF: Final = {"rdkit": "molecules", "tblite": "molecules", "pyscf": "dft"}
"""Package -> the extra of ours that installs it."""


class ExtraMissingError(SettingsError):
    """A package of an extra is needed and not installed."""


def is_installed(package: str) -> bool:
    """Whether a package of `EXTRA_OF` can be imported; it is not imported."""
    return importlib.util.find_spec(package) is not None


def load(module: str) -> ModuleType:
    """Return a module of a package that an extra brings, such as `rdkit.Chem`.

    Raises:
        ExtraMissingError: When the package is not installed; it names the extra.
    """
    package = module.partition(".")[0]
    if not is_installed(package):
        extra = EXTRA_OF[package]
        raise ExtraMissingError(
            f"{package} is not installed",
            expected=f"the extra {extra!r}",
            action=f"pip install 'entropilot[{extra}]'",
        )
    return importlib.import_module(module)
