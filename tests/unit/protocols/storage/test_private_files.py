"""What a run writes is for its owner alone, and what is made before and afterwards is as it always was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from protocols.storage.private_files import make_private_folder, private_files
from protocols.storage.run_lock import RunLock

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows knows no such rights")


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _usual_mask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_run_folder_and_all_that_is_made_in_it_is_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "c"
    with RunLock(folder / "campaign.lock", holder="agent", advice=""):
        (folder / "campaign.db").write_text("")
        (folder / "deeper").mkdir()
    assert [rights(folder), rights(folder / "deeper")] == [0o700, 0o700]
    assert [rights(folder / name) for name in ("campaign.lock", "campaign.db")] == [0o600, 0o600]
    assert rights(tmp_path / "runs") == 0o755


def test_the_mask_is_as_before_afterwards_also_when_something_failed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), private_files():
        (tmp_path / "a").write_text(str(1 // 0))
    (tmp_path / "b").write_text("")
    assert rights(tmp_path / "b") == 0o644


def test_a_folder_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o750)
    make_private_folder(tmp_path / "shared")
    assert rights(tmp_path / "shared") == 0o750
