"""A place for runs is judged by its room, its kind and its commits; a trial leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.doctor.checks import Verdict
from scenarios.doctor.file_systems import Mount
from scenarios.doctor.places import (
    SLOW_COMMIT_S,
    TIME_ERROR,
    judge_commits,
    judge_file_system,
    judge_room,
    look_at_clock,
    look_at_place,
)

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("free", "total", "verdict"),
    [
        (60 * GB, 100 * GB, Verdict.PASS),
        (GB // 2, 100 * GB, Verdict.WARN),
        (GB // 100, 100 * GB, Verdict.FAIL),
        (GB // 50, GB // 10, Verdict.WARN),
    ],
)
def test_room_is_judged_by_the_floor_at_which_a_campaign_waits(free: int, total: int, verdict: Verdict) -> None:
    assert judge_room("/runs", free, total).verdict is verdict


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("ext4", Verdict.PASS), ("overlay", Verdict.PASS), ("tmpfs", Verdict.WARN), ("nfs4", Verdict.FAIL),
     ("cifs", Verdict.FAIL), ("fuse.sshfs", Verdict.FAIL)],
)  # fmt: skip
def test_a_journal_is_not_kept_where_other_machines_may_share_it(kind: str, verdict: Verdict) -> None:
    assert judge_file_system("/runs", Mount("/", kind, "somewhere")).verdict is verdict


def test_a_system_that_does_not_tell_its_file_systems_is_no_fault() -> None:
    assert judge_file_system("/runs", None).verdict is Verdict.PASS


def test_a_journal_without_a_wal_fails_and_a_slow_commit_is_a_warning() -> None:
    assert judge_commits("/runs", "delete", 0.001).verdict is Verdict.FAIL
    assert judge_commits("/runs", "wal", 2 * SLOW_COMMIT_S).verdict is Verdict.WARN
    assert judge_commits("/runs", "wal", SLOW_COMMIT_S / 2).verdict is Verdict.PASS


def test_a_folder_that_is_not_there_yet_is_looked_at_where_it_will_be_made_and_nothing_is_left(tmp_path: Path) -> None:
    checks = look_at_place(tmp_path / "runs" / "deeper")
    assert {each.subject for each in checks} == {str(tmp_path)}
    assert [each.name for each in checks] == ["disk", "file_system", "commits"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_fails() -> None:
    (check,) = look_at_place(Path("/proc/nowhere"))
    assert (check.name, check.verdict) == ("disk", Verdict.FAIL)


@pytest.mark.parametrize(("said", "verdict"), [(TIME_ERROR, Verdict.WARN), (0, Verdict.PASS), (None, Verdict.PASS)])
def test_a_clock_that_no_server_keeps_is_a_warning(said: int | None, verdict: Verdict) -> None:
    assert look_at_clock(lambda: said).verdict is verdict


def test_this_systems_clock_can_be_asked_about() -> None:
    assert look_at_clock().name == "clock"
