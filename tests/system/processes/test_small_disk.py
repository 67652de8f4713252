"""A campaign on a disk that is nearly full waits, says so, and goes on by itself when there is room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import PATIENCE_S, Workbench, clean_environment
from tests.support.processes import started

pytestmark = pytest.mark.system

ON_A_NEARLY_FULL_DISK = """
set -e
mount -t tmpfs -o size=40m tmpfs "$1"
head -c 37000000 /dev/zero >"$1/ballast"
"$2" -m entropilot run lab.toml --campaign c --runs "$1/runs" 2>said >out & run=$!
while kill -0 $run 2>/dev/null && ! grep -q "MB free" said; do sleep 0.1; done
sleep 1
"$2" -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute("select count(*) from observation \
where attempt_id is not null").fetchone()[0])' "$1/runs/c/campaign.db" >observed
rm "$1/ballast"
wait $run
"$2" -m entropilot verify c --runs "$1/runs" >>out
cp "$1/runs/c/agent.jsonl" .
"""
"""In a mount namespace of its own: a disk of 40 MB, of whose floor of 5 MB less than 3 are free at first."""


def can_mount() -> bool:
    try:
        command = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not can_mount(), reason="no mount namespace of our own here")
def test_a_campaign_on_a_nearly_full_disk_waits_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        disk = tmp_path / "disk"
        disk.mkdir()
        shell = ["sh", "-c", ON_A_NEARLY_FULL_DISK, "sh", str(disk), sys.executable]
        with started(
            ["unshare", "--mount", "--map-root-user", *shell], cwd=bench.folder, env=clean_environment()
        ) as process:
            assert process.wait(PATIENCE_S) == 0, (tmp_path / "said").read_text()
    said = (tmp_path / "said").read_text()
    assert "c paused:" in said
    assert f"the disk under {disk}/runs/c has" in said
    assert (tmp_path / "observed").read_text() == "0\n"
    log = (tmp_path / "agent.jsonl").read_text()
    assert log.index("disk_is_nearly_full") < log.index("disk_has_room") < log.index('"result"')
