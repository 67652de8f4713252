"""A database that somebody locks, a disk that is full: wait or end with a reason, and lose nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.storage.database import BUSY_TIMEOUT_MS
from tests.crash.golden import SIMULATOR, World, play
from tests.crash.judgement import JournalFold, judge, story_of

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""

PLAY = """
import resource, sys
from pathlib import Path
from scenarios.display.console import _report
from tests.crash.golden import play
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    play(Path(sys.argv[1]))
except Exception as error:
    sys.exit(_report(error, debug=False))
"""

ON_A_SMALL_DISK = 'mount -t tmpfs -o size="$2" tmpfs "$1" && cp -a "$3"/. "$1"; "$4" -c "$5" "$1" 0; code=$?; \
rm -f "$1"/ballast; cp -a "$1"/. "$3"; exit $code'
"""In a mount namespace of its own: a disk of a few hundred kB; what it holds at the end is copied out of it."""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> JournalFold:
    folder = tmp_path_factory.mktemp("twin")
    play(folder)
    return story_of(folder)


@contextmanager
def held(database: Path) -> Iterator[Callable[[], None]]:
    """Let another process lock a database until it is told to let go."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    try:
        yield holder.stdin.close
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()


def locking_in_the_middle(folder: Path, name: str, lock: Callable[[Path], None]) -> Callable[[World], None]:
    """Lock a database when the clock is read after a few answers: the next thing is a commit."""

    def on_world(world: World) -> None:
        clock, done = world.clock, list[bool]()

        def locking_clock() -> datetime:
            if not done and sum(sender == "stranger" for sender, _ in world.bus.log) > 5:
                done.append(True)
                lock(folder / "run" / name)
            return clock()

        world.clock = locking_clock  # type: ignore[method-assign]

    return on_world


@pytest.mark.parametrize("name", ["campaign.db", f"{SIMULATOR}.db"])
def test_a_database_that_is_locked_for_a_moment_delays_the_campaign_and_changes_nothing(
    tmp_path: Path, twin: JournalFold, name: str
) -> None:
    took: list[float] = []

    def lock(database: Path) -> None:
        holding = held(database)
        let_go = holding.__enter__()
        threading.Timer(0.4, lambda: (let_go(), holding.__exit__(None, None, None))).start()
        took.append(time.monotonic())

    play(tmp_path, locking_in_the_middle(tmp_path, name, lock))
    assert took
    assert time.monotonic() - took[0] > 0.3  # it did wait
    assert judge(tmp_path, twin) == []


def test_a_database_that_stays_locked_ends_the_agent_with_a_reason_and_the_campaign_is_resumed(
    tmp_path: Path, twin: JournalFold
) -> None:
    began = time.monotonic()
    holdings = []

    def lock(database: Path) -> None:
        holdings.append(held(database))
        holdings[0].__enter__()

    with pytest.raises(StoreError) as caught:
        play(tmp_path, locking_in_the_middle(tmp_path, "campaign.db", lock))
    assert "locked" in caught.value.found
    assert "another program holds the database" in caught.value.action
    assert time.monotonic() - began > BUSY_TIMEOUT_MS / 1000
    holdings[0].__exit__(None, None, None)
    play(tmp_path)
    assert judge(tmp_path, twin) == []


def played_on_a_small_disk(folder: Path, disk: Path, kilobytes: int) -> subprocess.CompletedProcess[str]:
    shell = ["sh", "-c", ON_A_SMALL_DISK, "sh", str(disk), f"{kilobytes}k", str(folder), sys.executable, PLAY]
    return subprocess.run(
        ["unshare", "--mount", "--map-root-user", *shell], cwd=ROOT, capture_output=True, text=True, check=False
    )


def can_mount() -> bool:
    try:
        command = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not can_mount(), reason="no mount namespace of our own here")
@pytest.mark.parametrize("kilobytes", [40, 160, 300, 460, 620])
def test_a_full_disk_ends_the_campaign_with_a_reason_and_space_takes_it_up(
    tmp_path: Path, twin: JournalFold, kilobytes: int
) -> None:
    folder, disk = tmp_path / "kept", tmp_path / "disk"
    folder.mkdir()
    disk.mkdir()
    done = played_on_a_small_disk(folder, disk, kilobytes)
    assert done.returncode == StoreError.exit_code, done.stderr
    assert "space" in done.stderr
    play(folder)
    assert judge(folder, twin) == []


@pytest.mark.parametrize("kilobytes", [3, 10, 70, 200, 400])
def test_a_file_that_may_not_grow_ends_the_campaign_with_a_reason_and_it_is_resumed(
    tmp_path: Path, twin: JournalFold, kilobytes: int
) -> None:
    command = [sys.executable, "-c", PLAY, str(tmp_path), str(kilobytes * 1024)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == StoreError.exit_code, done.stderr
    assert "what to do" in done.stderr
    play(tmp_path)
    assert judge(tmp_path, twin) == []
