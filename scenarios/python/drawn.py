"""Pictures of what is not finished yet: drawn beside the run folder, where nothing is written."""

from __future__ import annotations

import tempfile
from pathlib import Path

from agent.campaign.plan import CampaignPlan
from agent.store.store import Store
from protocols.errors import StoreError
from scenarios.run.figure.bias import draw_bias
from scenarios.run.metrics_figure import draw_metrics
from scenarios.run.trajectory import Trajectory
from scenarios.sources.run_folder import FIGURE


def draw_unfinished(store: Store, plan: CampaignPlan, name: str) -> Path:
    """Draw the trajectory of a run as it stands, into a folder of its own; return the picture's path.

    Raises:
        StoreError: When there is nothing to draw yet.
    """
    points = tuple(store.trajectory(plan.metrics))
    if not points:
        raise StoreError(f"The run {name} has no observation yet", expected="one that has begun")
    trajectory = Trajectory(plan.label, plan.unit, points)
    path = Path(tempfile.mkdtemp(prefix="entropilot-figure-")) / FIGURE
    draw = draw_bias if points[-1][1].compares_families else draw_metrics
    draw(path, trajectory, comparison={}, title=f"{name}, as it stands after observation {points[-1][0]}")
    return path
