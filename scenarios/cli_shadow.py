"""The command `entropilot agent --shadow`: beside a lab instead of in charge of it."""

from __future__ import annotations

from pathlib import Path

from protocols.errors import SettingsError
from scenarios.cli_options import made_world, show
from scenarios.console import print_json
from scenarios.run_folder import require_campaign_name
from scenarios.settings import Scenario
from scenarios.shadow import ShadowRequest, follow_lab
from scenarios.shadow_outcome import shadow_json
from scenarios.shadow_report import shadow_table, watched


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
