"""Settings as a recording or a pack keeps them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from protocols.concurrency.child import ARITHMETIC
from protocols.errors import StoreError
from protocols.recording.lines import Header
from protocols.settings.fields import without_url_password
from scenarios.settings.library import LIBRARY
from scenarios.settings.model import Scenario

OF_A_PLACE: Final = frozenset({"executor", "cache", "cache_limit_mb"})
"""Settings of an instrument that say where it works, and not what it does."""

LIBRARY_PREFIX: Final = "library:"
"""Stands for the folder of the scenarios that come with the package, wherever that is installed."""


MAX_SHOWN: Final = 40
"""Longest part shown of a value that cannot be [character]."""


def recorded_settings(scenario: Scenario) -> dict[str, Any]:
    """Return what a recording says of a scenario: nothing of broker and keys, and no password of a URL."""
    told: dict[str, Any] = without_url_password(shared_settings(scenario.with_table_paths(_portable)))
    return told


def shared_settings(scenario: Scenario) -> dict[str, Any]:
    """Return the settings that are the scenario's own; broker, keys, labs, traces, cluster and cache are of a place."""
    exclude: Any = {"broker": True, "signing": True, "live": True, "tracing": True}
    exclude |= {"simulator": OF_A_PLACE, "simulators": {"__all__": OF_A_PLACE}}
    return scenario.model_dump(mode="json", exclude=exclude)


def recorded_arithmetic() -> dict[str, Any]:
    """Return what a recording says of the arithmetic, if this process pins it: members of the header."""
    pinned = {name: os.environ[name] for name in ARITHMETIC if name in os.environ}
    return {"arithmetic": pinned} if pinned else {}


@contextmanager
def arithmetic_of(header: Header) -> Iterator[None]:
    """Let children compute as a recording's did, unless this process pins its arithmetic itself.

    Raises:
        StoreError: When the recording names a value that no variable can have.
    """
    pinned = {name: value for name, value in header.arithmetic.items() if name in ARITHMETIC and name not in os.environ}
    for name, value in pinned.items():
        if not value.isprintable():
            raise StoreError(
                f"The recording's first line pins {name} to {value[:MAX_SHOWN]!r}", expected="a value that can be set"
            )
    os.environ.update(pinned)
    try:
        yield
    finally:
        for name in pinned:
            del os.environ[name]


def _portable(path: str) -> str:
    absolute = Path(path).absolute()
    return f"{LIBRARY_PREFIX}{absolute.name}" if absolute.parent == LIBRARY.absolute() else path
