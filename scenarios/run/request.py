"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scenarios.settings.model import Scenario
from scenarios.world.world import World


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked for.

    Attributes:
        scenario: The settings.
        world: Pool, known values, start set.
        campaign: Name of the campaign.
        folder: The run folder.
        resume: Whether to take a campaign up.
        with_simulator: Whether this process plays the lab and its operator too.
        database_url: Another database than the folder's own.
        may_crash: Whether the process kills itself where the scenario says so.
    """

    scenario: Scenario
    world: World
    campaign: str
    folder: Path
    resume: bool = False
    with_simulator: bool = True
    database_url: str | None = None
    may_crash: bool = False
