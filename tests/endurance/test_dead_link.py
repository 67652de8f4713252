"""A network that vanishes without a word is noticed within two keep-alives, and work resumes when it is back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.endurance.dead_link import MARGIN_S, why_not
from tests.endurance.stage import require_mosquitto

pytestmark = pytest.mark.system

KEEPALIVE_S = 2


def test_a_dead_network_is_noticed_and_survived(tmp_path: Path) -> None:
    require_mosquitto()
    if reason := why_not():
        pytest.skip(reason)
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.endurance.dead_link", "--keepalive", str(KEEPALIVE_S), "--down", "7"]
    ended = subprocess.run([*command, "--json", str(figures)], capture_output=True, text=True, timeout=250, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(figures.read_text())["noticed_s"] <= 2 * KEEPALIVE_S + MARGIN_S
