"""An option that is a command of its own now is refused with its name; whatever else follows a command is its own."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from scenarios.cli.moved import AgentCommand, ReplayCommand, require_not_moved


@pytest.mark.parametrize(
    ("command", "arguments", "now"),
    [
        ("replay", ["lab", "--live"], "play"),
        ("replay", ["lab", "--speed=max"], "play"),
        ("replay", ["lab", "--policy", "random"], "what-if"),
        ("replay", ["--set", "campaign.seed=1", "lab"], "what-if"),
        ("agent", ["lab.toml", "--shadow"], "shadow"),
    ],
)
def test_an_old_spelling_is_answered_with_the_new_one(command: str, arguments: list[str], now: str) -> None:
    moved = {"replay": ReplayCommand.moved, "agent": AgentCommand.moved}[command]
    with pytest.raises(SettingsError, match=f"is called `entropilot {now}` now") as caught:
        require_not_moved(command, arguments, moved)
    assert caught.value.action == f"see `entropilot {now} --help`"


def test_options_that_stayed_and_what_follows_two_dashes_pass() -> None:
    require_not_moved("replay", ["lab", "--campaign", "x", "--runs", "y", "--json"], ReplayCommand.moved)
    require_not_moved("replay", ["--", "--live"], ReplayCommand.moved)
    require_not_moved("agent", ["lab.toml", "--policy", "random", "--set", "a=b"], AgentCommand.moved)
