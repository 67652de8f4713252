"""Who writes waits before the disk is full, says so, and goes on when there is room again."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.storage.disk_floor import LOOK_EVERY_S, MB, DiskFloor, free_and_total
from tests.support.virtual_loop import run_in_virtual_time

HUGE = 10**12
"""Size of a disk of which the floor is a small part [byte]."""


class Disk:
    """A disk whose free space is set, asked at times that pass with every look."""

    def __init__(self, *free_mb: float, total: int = HUGE) -> None:
        self.left = [each * MB for each in free_mb]
        self.total = total
        self.now_s = 0.0
        self.told: list[str] = []

    def usage(self, _folder: Path) -> tuple[int, int]:
        free = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return int(free), self.total

    def clock(self) -> float:
        self.now_s += LOOK_EVERY_S
        return self.now_s

    def floor(self, floor_mb: float = 100) -> DiskFloor:
        return DiskFloor(Path("/runs/c"), floor_mb, on_change=self.told.append, usage=self.usage, clock=self.clock)


def waited(floor: DiskFloor, *, looks: int = 1_000) -> bool:
    """Wait for room; the process is asked to end after so many looks."""
    left = iter(range(looks))
    return run_in_virtual_time(floor.wait_for_room(unless=lambda: next(left, None) is None), seed=None)


def test_with_room_nobody_waits() -> None:
    disk = Disk(100)
    assert not waited(disk.floor())
    assert disk.told == []


def test_below_the_floor_it_is_waited_until_there_is_a_little_more_than_the_floor() -> None:
    disk = Disk(99, 101, 124, 125)
    floor = disk.floor()
    assert waited(floor)
    assert [reason.partition(";")[0] for reason in disk.told] == [
        "the disk under /runs/c has 99.0 MB free, and 125.0 MB are needed to go on", "",
    ]  # fmt: skip
    assert (floor.reason, disk.left) == ("", [125 * MB])


def test_who_is_to_end_does_not_wait_for_room() -> None:
    disk = Disk(1)
    floor = disk.floor()
    assert waited(floor, looks=3)
    assert "free space there" in floor.reason


@pytest.mark.parametrize("floor", [DiskFloor(None), DiskFloor(Path("/nowhere/at/all")), Disk(0).floor(0)])
def test_without_a_folder_without_an_answer_and_without_a_floor_there_is_always_room(floor: DiskFloor) -> None:
    assert not waited(floor)


def test_the_floor_of_a_small_disk_is_a_part_of_it() -> None:
    assert not waited(Disk(11, total=80 * MB).floor())
    assert waited(Disk(9, total=80 * MB).floor(), looks=1)


def test_the_disk_is_not_asked_more_often_than_twice_a_second() -> None:
    disk, asked = Disk(1), list[Path]()

    def usage(folder: Path) -> tuple[int, int]:
        asked.append(folder)
        return HUGE, HUGE

    floor = DiskFloor(Path("/runs/c"), usage=usage, clock=lambda: 7.0)
    assert not any(waited(floor) for _ in range(100))
    assert (len(asked), disk.told) == (1, [])


def test_the_disk_under_a_folder_is_the_systems_answer(tmp_path: Path) -> None:
    free, total = free_and_total(tmp_path)
    assert 0 <= free <= total
