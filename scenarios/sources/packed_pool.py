"""Whether a pack makes the pool that it speaks of: the decisions of its campaign depend on nothing else so much."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from protocols.errors import StoreError
from scenarios.pack_file.mark import is_pack
from scenarios.pack_file.reader import open_pack
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario

SHOWN_DIGITS: Final = 12
"""Hexadecimal digits of a digest that an error shows."""


def require_packed_pool(path: Path, digest: str) -> None:
    """Check that a pool is the one that a pack was made with; everything else than a pack passes.

    Args:
        path: What a command was given.
        digest: Of the pool that was made of it.

    Raises:
        StoreError: When it is another one.
    """
    if not is_pack(path):
        return
    with open_pack(path) as pack:
        packed = pack.manifest.pool_digest
    if packed != digest:
        raise StoreError(
            f"{path}: its manifest speaks of pool {packed[:SHOWN_DIGITS]}, and its scenario makes pool "
            f"{digest[:SHOWN_DIGITS]} today",
            expected="the pool that was packed",
            action="pack it again, or copy it again; a generated pool needs the package versions at the time",
        )


def require_own_pool(name: str, runs: Path, scenario: Scenario, digest: str) -> None:
    """Check the same of a scenario with what the command line says, unless that asks for another pool.

    Args:
        name: What the command was given: a scenario's name, file or pack.
        runs: Where packs are unpacked.
        scenario: The settings that hold.
        digest: Of the pool that they make.

    Raises:
        StoreError: When it is another pool than the one that was packed.
    """
    if is_pack(Path(name)) and load_scenario(name, Overrides(), {}, runs=runs).settings.pool == scenario.pool:
        require_packed_pool(Path(name), digest)
