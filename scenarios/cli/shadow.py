"""The command `entropilot agent --shadow`: beside a lab instead of in charge of it."""

from __future__ import annotations

from pathlib import Path

from protocols.errors import SettingsError
from scenarios.cli.options import made_world, show
from scenarios.display.console import print_json
from scenarios.settings.model import Scenario
from scenarios.shadow.listener import ShadowRequest, follow_lab
from scenarios.shadow.outcome import shadow_json
from scenarios.shadow.report import shadow_table, watched
from scenarios.sources.run_folder import require_campaign_name


def follow_and_tell(
    scenario: Scenario, campaign: str | None, runs: Path, database: str | None, *, resume: bool, quiet: bool, json: bool
) -> None:
    """Follow a lab's campaign, and tell what came of it.

    Raises:
        SettingsError: When a database is named: a shadow has none.
    """
    if database is not None:
        raise SettingsError(
            "A shadow keeps no database", expected="--shadow without --database", action="leave --database out"
        )
    name = scenario.name if campaign is None else campaign
    require_campaign_name(name)
    request = ShadowRequest(scenario, made_world(scenario, quiet=quiet or json), name, runs, resume)
    with watched(request, quiet=quiet or json) as told:
        summary = follow_lab(request, told)
    if json:
        print_json(shadow_json(summary))
    elif not quiet:
        show(shadow_table(summary))
        for file in summary.files:
            show(f"  {request.folder / file}")
