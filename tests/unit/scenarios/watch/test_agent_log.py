"""Tests of reading how long things take from the end of the agent's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.observe.figures import Timing
from scenarios.watch.agent_log import TAIL_BYTES, timings_in


def line(decisions: int) -> str:
    return f'{{"decisions": {decisions}, "deciding_s": 1.5, "commits": 9, "committing_s": 0.25, "event": "timings"}}\n'


def test_the_last_word_counts(tmp_path: Path) -> None:
    (tmp_path / "agent.jsonl").write_text(line(1) + '{"event": "result_accepted"}\n' + line(2))
    assert timings_in(tmp_path) == (Timing(2, 1.5), Timing(9, 0.25))


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "agent.jsonl").write_text(line(1) + "x" * TAIL_BYTES)
    assert timings_in(tmp_path) == (None, None)


@pytest.mark.parametrize(
    "torn", ['{"event": "timings", "decisions": 3, "dec', '["event": "timings"]', '"event": "timings"']
)
def test_a_torn_line_is_passed_over(tmp_path: Path, torn: str) -> None:
    (tmp_path / "agent.jsonl").write_text(line(1) + torn)
    assert timings_in(tmp_path) == (Timing(1, 1.5), Timing(9, 0.25))


def test_a_log_that_does_not_say_it_says_nothing(tmp_path: Path) -> None:
    assert timings_in(tmp_path) == (None, None)
    (tmp_path / "agent.jsonl").write_text('{"event": "timings", "decisions": "many"}\n')
    assert timings_in(tmp_path) == (None, None)
