"""The page about Python holds what it shows: its blocks are run, from top to bottom, as one script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents.markdown import ROOT, Document

pytestmark = pytest.mark.system


def test_the_blocks_of_the_page_run_in_their_order(tmp_path: Path) -> None:
    blocks = [block.body for block in Document(ROOT / "docs/how-to/python.md").blocks("python")]
    assert len(blocks) >= 5
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert ended.returncode == 0, ended.stderr
    assert "the budget is spent" in ended.stdout
