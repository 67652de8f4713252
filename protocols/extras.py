"""The packages that an installation may lack, each with the extra that brings it; what calculates is imported here."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Final

from protocols.errors import SettingsError

EXTRA_OF: Final = {
    "rdkit": "molecules", "tblite": "molecules", "pyscf": "dft",
    "pyarrow": "parquet", "openpyxl": "excel", "zstandard": "zstd", "keyring": "keyring",
    "matscipy": "potentials", "phonopy": "phonons", "sevenn": "mlip", "torch": "mlip",
    "chgnet": "chgnet", "pyxtal": "pyxtal",
    "distributed": "dask", "pytest": "testing",
    "starlette": "page", "uvicorn": "page", "textual": "tui", "mcp": "mcp", "opentelemetry": "otel",
}  # fmt: skip
"""Package -> the extra of ours that installs it."""


class ExtraMissingError(SettingsError):
    """A package of an extra is needed and not installed."""


def is_installed(package: str) -> bool:
    """Whether a package of `EXTRA_OF` can be imported; it is not imported."""
    return importlib.util.find_spec(package) is not None


def load(module: str) -> ModuleType:
    """Return a module of a package that an extra brings, such as `rdkit.Chem`.

    Raises:
        ExtraMissingError: When the package is not installed, or lacks something itself; it names the extra.
    """
    package = module.partition(".")[0]
    if not is_installed(package):
        extra = EXTRA_OF[package]
        raise ExtraMissingError(
            f"{package} is not installed",
            expected=f"the extra {extra!r}",
            action=f"pip install 'entropilot[{extra}]'",
        )
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExtraMissingError(
            f"{module} is installed and cannot be imported: {error}",
            expected=f"a sound installation of the extra {EXTRA_OF[package]!r}",
            action=f"install what it lacks, or pip install --force-reinstall 'entropilot[{EXTRA_OF[package]}]'",
        ) from error
