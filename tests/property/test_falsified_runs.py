"""`verify` finds every single value of a finished run that was changed, whatever was made to fit it there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.errors import StoreError
from scenarios.verify.run_check import verify_run
from scenarios.verify.verify import FILES
from tests.support.samples.falsified import FinishedRun, Place
from tests.support.samples.recorded_run import made

EXAMPLES = 20
"""Values of each kind of place that are changed, each in a run of its own that is then verified whole."""

KINDS = ("journal", "recording", "memory", "table", "file")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return FinishedRun(made(tmp_path_factory.mktemp("run")).folder)


def problems_of(run: FinishedRun, place: Place, scratch: Path) -> list[tuple[str, str]]:
    """Part and words of everything that is found wrong in a falsified copy."""
    folder = run.falsified(place, scratch / "copy")
    try:
        return [(part.name, part.problem) for part in verify_run(folder, FILES) if part.problem]
    except StoreError as error:  # such as a cell of another kind
        return [("database", error.found)]


def test_the_run_as_it_was_played_is_sound_in_every_part(run: FinishedRun) -> None:
    parts = verify_run(run.folder, FILES)
    assert [part for part in parts if part.problem or part.note] == []
    assert {"recorded events", "simulator-1.db", "recorded messages", "recording_mark", "message_count"} <= {
        part.name for part in parts
    }


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_a_value_that_was_changed_is_found(run: FinishedRun, tmp_path: Path, kind: str, draw: st.DataObject) -> None:
    place = draw.draw(st.sampled_from(run.places(kind)))
    assert problems_of(run, place, tmp_path), str(place)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_the_first_changed_row_of_a_journal_is_the_first_thing_that_is_named(
    run: FinishedRun, tmp_path: Path, draw: st.DataObject
) -> None:
    place = draw.draw(st.sampled_from(run.places("journal")))
    _, first = problems_of(run, place, tmp_path)[0]
    assert f"row {place.row} of the journal" in first or first.startswith(f"row {place.row}:"), str(place)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_an_attempt_that_was_changed_in_a_memory_is_named(
    run: FinishedRun, tmp_path: Path, draw: st.DataObject
) -> None:
    place = draw.draw(st.sampled_from(run.places("memory")))
    part, words = problems_of(run, place, tmp_path)[0]
    assert (part, words.split()[0]) == ("simulator-1.db", "attempt"), str(place)
