"""What is shown of keys is whose they are and where, never a key."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from protocols.signing.key_file import read_keys
from scenarios.keys.keys import make_keys
from scenarios.keys.report import keys_json, keys_table


def test_the_files_are_shown_and_no_key_is(tmp_path: Path) -> None:
    made = make_keys(tmp_path, instruments=["furnace"], operators=["alice"])
    console = Console(width=200)
    with console.capture() as captured:
        console.print(keys_table(made))
    shown, tree = captured.get(), json.loads(keys_json(made))
    ring = read_keys(tmp_path / "agent.keys")
    for key in (ring.agent, *ring.instruments.values(), *ring.operators.values()):
        assert key is not None
        assert key.hex()[:8] not in shown + json.dumps(tree)
    assert [each["file"] for each in tree["keys"]] == [str(each.path) for each in made]
    assert all(str(each.path) in shown for each in made)
    assert "require_signatures" in shown
