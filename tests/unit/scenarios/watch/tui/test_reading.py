"""What is read for the terminal: only what is new, and the whole course however the points come."""

from __future__ import annotations

from pathlib import Path

from scenarios.watch.reading.find import open_run
from scenarios.watch.tui.reading import RunLook
from tests.support.samples.recorded_run import RecordedRun, made


def test_a_second_look_at_the_same_past_is_nothing_new(tmp_path: Path) -> None:
    look = RunLook(open_run(made(tmp_path).folder))
    assert look.look(1) is not None
    assert look.look(1) is None
    assert look.look(2) is not None
    look.close()


def test_the_course_has_every_observation_once_as_a_run_goes_on(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path)
    look = RunLook(open_run(run.folder))
    seen = []
    while not run.is_over:
        if (shown := look.look(None)) is not None:
            seen.append([at for at, _ in shown.course])
        if not run.awaited:
            break
        run.answer(run.awaited[0])
    shown = look.look(None)
    assert shown is not None
    whole = [at for at, _ in shown.course]
    assert whole == list(range(len(whole)))
    assert len(whole) == (shown.moment.last_observation or 0) + 1
    assert all(each == whole[: len(each)] for each in seen)
    look.close()
    run.close()
