"""A log that is written for ever stays within its bound, and its lines stay whole and in order."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from protocols.storage.rotating_file import RotatingFile


def test_a_flood_of_lines_stays_within_the_bound_and_the_latest_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "agent.jsonl"
    with closing(RotatingFile(path, max_bytes=1_000, kept=2)) as file:
        for number in range(10_000):
            file.write(f"{number:08}\n")
    names = ["agent.jsonl.2", "agent.jsonl.1", "agent.jsonl"]
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(names)
    assert all(each.stat().st_size <= 1_008 for each in tmp_path.iterdir())
    lines = [int(line) for name in names for line in (tmp_path / name).read_text().splitlines()]
    assert lines == list(range(lines[0], 10_000))
    assert len(lines) > 200


def test_a_file_that_is_there_is_continued(tmp_path: Path) -> None:
    for text in ("a\n", "b\n"):
        with closing(RotatingFile(tmp_path / "log")) as file:
            file.write(text)
            file.flush()
            assert (tmp_path / "log").read_text().endswith(text)
    assert (tmp_path / "log").read_text() == "a\nb\n"


def test_half_a_line_is_never_put_aside(tmp_path: Path) -> None:
    with closing(RotatingFile(tmp_path / "log", max_bytes=3)) as file:
        file.write("long")
        file.write("er\n")
    assert (tmp_path / "log.1").read_text() == "longer\n"
