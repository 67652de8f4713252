"""The power may go at any moment: whatever the disk then holds, nothing that the world has seen is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crash.powercut import recorder as powercut_recorder
from tests.crash.powercut.disk import (
    CREATE,
    SECTOR_BYTES,
    SYNC,
    UNLINK,
    WRITE,
    Change,
    Disk,
    dispositions,
    read_recording,
)
from tests.crash.powercut.explorer import Explorer, Recorded, record_campaign
from tests.crash.powercut.workload import cut_workload

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(bool(powercut_recorder.missing_tool()), reason=powercut_recorder.missing_tool()),
]

EVERY_CALL = """
import os, sys
from pathlib import Path

root = Path(sys.argv[1])
(root / "sub").mkdir()
with (root / "sub/text").open("w") as file:
    file.write("once upon a time")
with (root / "sub/text").open("a") as file:
    file.write(", and again")
with (root / "sub/text").open("r+") as file:
    file.seek(40)
    file.write("beyond a hole")
fd = os.open(root / "bytes", os.O_RDWR | os.O_CREAT, 0o600)
twin = os.dup(fd)
os.write(twin, b"0123456789" * 200)
os.pwrite(fd, b"AAAA", 1500)
os.writev(fd, [b"one", b"two", b"three"])
os.pwritev(fd, [b"uno", b"due"], 3)
os.ftruncate(fd, 1700)
os.fsync(fd)
os.close(fd)
os.write(twin, b"after the close")
os.truncate(root / "bytes", 1690)
os.rename(root / "bytes", root / "renamed")
(root / "gone").write_text("soon")
(root / "gone").unlink()
(root / "gone").write_text("another file of the old name")
(root / "over").write_text("old")
(root / "new").write_text("new")
os.replace(root / "new", root / "over")
(root / "emptied").write_text("something")
(root / "emptied").open("w").close()
(root / "left-shm").write_text("not recorded")
(root / "dir").mkdir()
(root / "dir").rmdir()
os.chdir(root)
Path("relative").write_text("here")
directory = os.open("sub", os.O_RDONLY)
os.close(os.open("within", os.O_WRONLY | os.O_CREAT, dir_fd=directory))
os.rename("within", "inside", src_dir_fd=directory, dst_dir_fd=directory)
os.fdatasync(directory)
os.unlink("text", dir_fd=directory)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return powercut_recorder.build_recorder(tmp_path_factory.mktemp("recorder"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record_campaign(tmp_path_factory.mktemp("campaign") / "recorded")


def files_below(root: Path) -> dict[str, bytes | None]:
    """What really stands in a folder; None is a folder."""
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
        if not path.name.endswith("-shm")
    }


def files_by_recording(root: Path, recording: Path) -> dict[str, bytes | None]:
    """What the recording says, when the power never goes."""
    disk = Disk()
    for change in read_recording(recording, root.resolve()):
        disk.play(change)
    image = disk.safe.with_changes(disk.pending)
    return {
        path: None if file in disk.folders else bytes(image.contents.get(file, b"")) for path, file in image.files()
    }


# ── the tester is tested ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_recording_tells_every_call_that_changes_a_file(library: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    assert powercut_recorder.record(library, root, tmp_path / "log", "-c", EVERY_CALL, str(root)) == 0
    found = files_below(root)
    assert len(found) == 7
    assert files_by_recording(root, tmp_path / "log") == found


def test_a_move_to_another_folder_is_refused_for_no_sync_of_one_folder_covers_it(library: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    program = "import os, sys; os.chdir(sys.argv[1]); open('a', 'w').close(); os.rename('a', 'sub/a')"
    assert powercut_recorder.record(library, root, tmp_path / "log", "-c", program, str(root)) == 0
    with pytest.raises(ValueError, match="a was moved to sub/a"):
        read_recording(tmp_path / "log", root.resolve())


@pytest.mark.parametrize(
    "call",
    [
        "import mmap; f = open(name, 'w+b'); f.truncate(9); mmap.mmap(f.fileno(), 9)",
        "import os; open(name, 'w').close(); os.link(name, name + '2')",
        "import os; os.symlink('/', name)",
        "import os; os.posix_fallocate(os.open(name, os.O_CREAT | os.O_RDWR), 0, 9)",
        "import os; os.copy_file_range(os.open(__import__('sys').executable, 0), os.open(name, 65), 9)",
        "import os; os.sendfile(os.open(name, 65), os.open(__import__('sys').executable, 0), 0, 9)",
        "import os; os.rename(name, '/tmp') if open(name, 'w') else 0",
    ],
)
def test_a_call_that_the_recorder_cannot_tell_ends_the_program(library: Path, tmp_path: Path, call: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    program = f"import sys; name = sys.argv[1] + '/file'; {call}"
    assert powercut_recorder.record(library, root, tmp_path / "log", "-c", program, str(root)) == 99


def a_write(offset: int, size: int, *, file: int = 1) -> Change:
    return Change(WRITE, "file", "", file, offset, bytes([1]) * size)


def test_bytes_are_safe_after_a_sync_of_their_file_and_names_after_one_of_their_folder() -> None:
    disk = Disk()
    disk.play(Change(CREATE, "file", "", 1, 0, b""))
    disk.play(a_write(0, 9))
    disk.play(Change(SYNC, "file", "", 1, 0, b""))
    assert [change.kind for change in disk.pending] == [CREATE]
    assert list(disk.safe.files()) == []
    disk.play(Change(SYNC, "", "", 0, 0, b""))
    assert disk.pending == []
    assert [path for path, _ in disk.safe.files()] == ["file"]


def test_a_file_made_anew_under_an_old_name_is_another_file() -> None:
    disk = Disk()
    for change in (
        Change(CREATE, "file", "", 1, 0, b""),
        a_write(0, 9),
        Change(UNLINK, "file", "", 1, 0, b""),
        Change(CREATE, "file", "", 2, 0, b""),
        Change(SYNC, "file", "", 2, 0, b""),
    ):
        disk.play(change)
    assert [change.file for change in disk.pending if change.kind == WRITE] == [1]


def test_a_torn_write_ends_at_a_sectors_edge_and_harms_no_byte_beside_it() -> None:
    before = bytes([7]) * 4096
    write = a_write(700, 2000)
    seen = set()
    for left in dispositions([write], random.Random(5), 200):
        disk = Disk()
        disk.safe.apply(Change(WRITE, "file", "", 1, 0, before))
        after = bytes(disk.safe.with_changes(left).contents[1])
        assert after[:700] == before[:700]
        assert after[2700:] == before[2700:]
        kept = len(after[700:].split(bytes([7]) * 8)[0]) if left else 0
        assert kept == 2000 or (700 + kept) % SECTOR_BYTES == 0 or kept == 0
        seen.add(kept)
    assert {0, 2000} < seen


@pytest.mark.parametrize(
    ("journal_mode", "synchronous", "corrupts", "loses"),
    [
        ("WAL", "OFF", True, True),
        ("WAL", "NORMAL", False, True),
        ("WAL", "FULL", False, False),
        ("DELETE", "FULL", False, True),
        ("DELETE", "EXTRA", False, False),
    ],
)
def test_the_images_say_of_sqlite_what_sqlite_says_of_itself(  # noqa: PLR0917 - fixtures and parameters
    library: Path, tmp_path: Path, journal_mode: str, synchronous: str, corrupts: bool, loses: bool
) -> None:
    toll = cut_workload(library, tmp_path, journal_mode, synchronous, commits=16, states=3)
    assert toll.images > 200
    assert (toll.corrupt > 0) is corrupts
    assert (toll.losing > 0) is loses


# ── the subject ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_recorded_campaign_is_told_byte_for_byte_with_checkpoints_in_it(recorded: Recorded) -> None:
    found = files_below(recorded.root)
    assert {Path(path).suffix for path in found} == {"", ".db", ".lock", ".jsonl"}
    assert files_by_recording(recorded.root, recorded.log) == found
    pages_written_back = [c for c in recorded.changes() if c.kind == WRITE and c.path.endswith("campaign.db")]
    assert len(pages_written_back) > 300


def test_no_image_loses_what_the_world_has_seen_and_a_restart_decides_as_if_nothing_happened(
    recorded: Recorded,
) -> None:
    explorer = Explorer(recorded, seed=1, states=5, restart_every=100)
    findings = explorer.explore(job=1, jobs=40)  # a slice; the release run takes everything
    assert findings.violations == []
    assert len(findings.distinct) > 300
    assert findings.restarts["to the end"] >= 2


def test_a_campaign_can_begin_on_every_image_of_its_very_first_start(recorded: Recorded) -> None:
    explorer = Explorer(recorded, seed=1, states=1, restart_every=0)
    findings = explorer.explore(job=0, jobs=1_000)  # the first block of moments alone
    assert findings.violations == []
    assert findings.restarts["of the first start"] > 30


@pytest.mark.parametrize(
    ("plant", "sign"),
    [
        ("normal", "the world has seen"),
        ("receipt-first", "the receipt of"),
        ("answer-first", "the answer of"),
        ("no-folder-sync", "the journal ends at 0"),
    ],
)
def test_a_planted_fault_shows(tmp_path: Path, plant: str, sign: str) -> None:
    spoiled = record_campaign(tmp_path / "recorded", plant=plant)
    findings = Explorer(spoiled, seed=1, states=2, restart_every=0).explore(job=7, jobs=80)
    assert any(sign in violation for violation in findings.violations)
