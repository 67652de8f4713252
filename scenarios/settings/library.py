"""The scenarios and golden recordings that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

LIBRARY: Final = Path(__file__).parents[1] / "library"


MAPPINGS: Final = LIBRARY / "mappings"
"""Where `[lab]` sections are, to be copied and laid over a scenario."""

RECORDED: Final = ".jsonl.gz"
"""How the files of the library's recordings end."""


def library_scenarios() -> dict[str, Path]:
    """Return the scenarios that come with the package, by name."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*.toml"))}


def library_mappings() -> dict[str, Path]:
    """Return the mappings of labs that come with the package, by name."""
    return {path.stem: path for path in sorted(MAPPINGS.glob("*.toml"))}


def library_recordings() -> dict[str, Path]:
    """Return the recordings that come with the package, by name."""
    return {path.name.removesuffix(RECORDED): path for path in sorted(LIBRARY.glob(f"recordings/*{RECORDED}"))}
