"""What names a calculator for ever: the version of its package, the digest of its parameters and of its weights.

Nothing here imports a package: versions and files are found by its metadata, so that a simulator tells at its start
what it calculates with, and begins at once.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from protocols.extras import EXTRA_OF, ExtraMissingError, is_installed

UNKNOWN_VERSION: Final = "unknown"
"""Version of a package that is there without its metadata: a checkout on the path."""

_CHUNK_BYTES: Final = 1 << 20


def provenance_of(name: str, package: str, parameters: BaseModel | Mapping[str, object]) -> dict[str, str]:
    """Return what names a calculator; weights come beside it where there are any.

    Args:
        name: Its name in the list.
        package: The package that calculates.
        parameters: All of them, with the values that hold.
    """
    return {
        "calculator": name,
        "calculator_package": f"{package} {version_of(package)}",
        "parameters_sha256": parameters_digest(parameters),
    }


def parameters_digest(parameters: BaseModel | Mapping[str, object]) -> str:
    """Return a SHA-256 of parameters, whatever order they were written in."""
    values = parameters.model_dump(mode="json") if isinstance(parameters, BaseModel) else dict(parameters)
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return UNKNOWN_VERSION


def require_installed(package: str, calculator: str) -> None:
    """Check that a package of an extra is there; it is not imported.

    Raises:
        ExtraMissingError: Naming the calculator, the extra and the command that installs it.
    """
    if not is_installed(package):
        extra = EXTRA_OF[package]
        raise ExtraMissingError(
            f"The calculator {calculator!r} needs {package}, which is not installed",
            expected=f"the extra {extra!r}",
            action=f"pip install 'entropilot[{extra}]' (PyTorch without CUDA: docs/how-to/calculators.md)"
            if package in NEED_TORCH
            else f"pip install 'entropilot[{extra}]'",
        )


NEED_TORCH: Final = frozenset({"sevenn", "chgnet"})
"""Packages that bring PyTorch, whose usual wheels for Linux bring CUDA."""


def weights_inside(package: str, *place: str) -> Path:
    """Return the file of weights that a package brings.

    Raises:
        ExtraMissingError: When the installed version has no such file.
    """
    found = importlib.util.find_spec(package)
    folders = [] if found is None else list(found.submodule_search_locations or [])
    files = [Path(folder, *place) for folder in folders]
    for file in files:
        if file.is_file():
            return file
    raise ExtraMissingError(
        f"{package} {version_of(package)} is installed without its weights {'/'.join(place)}",
        expected=f"the extra {EXTRA_OF[package]!r} with the weights inside its package",
        action=f"pip install --upgrade 'entropilot[{EXTRA_OF[package]}]'",
    )


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file: 10 MB take 10 ms."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
