"""The picture of effects."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.metrics import Effect
from scenarios.effects.effects import Effects
from scenarios.effects.figure import draw_effects

EFFECTS = (Effect("a", -3.1, 0.2), Effect("b", -2.0, 0.5))


@pytest.mark.parametrize("truth", [{}, {"a": -3.0, "b": -3.2}], ids=["without a truth", "with one"])
def test_the_picture_is_written_whole(truth: dict[str, float], tmp_path: Path) -> None:
    draw_effects(tmp_path / "effects.png", Effects(EFFECTS, "D", truth), title="a campaign")
    assert (tmp_path / "effects.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["effects.png"]
