"""A shadow is read while it listens and after: as it stood after any of its decisions, and never with half a line."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from agent.campaign.events import CampaignStarted, dump_event
from agent.run_files import RECORDING
from protocols.errors import StoreError
from protocols.recording.lines import SHADOW_BEGINNING
from scenarios.shadow.choices import DecisionComparison, to_line
from scenarios.shadow.files import SHADOW_LOCK
from scenarios.sources.run_folder import COMPARISONS
from scenarios.watch.lines import shadow_lines
from scenarios.watch.reading.find import card_of_run, find_runs, open_run
from scenarios.watch.reading.shadow import MAX_COURSE, MAX_SHADOW_ROWS, ShadowReader, is_shadow
from tests.support.campaigns import small_plan
from tests.support.samples.folders import contents
from tests.support.samples.heard import POOL

FAMILIES = ("cubic", "hexagonal", "<img onerror=alert(1)>")


def row(number: int, rng: random.Random, **fields: Any) -> DecisionComparison:
    """A decision of two candidates each."""
    lab, ours = (tuple(f"c{each:03}" for each in rng.sample(range(20), 2)) for _ in range(2))
    family = {f"c{each:03}": FAMILIES[each % 3] for each in range(20)}
    usual: dict[str, Any] = {
        "number": number, "lab_number": number, "chosen_at": "2026-11-30T10:00:00+00:00", "observation": 2 * number,
        "starved_family": rng.choice(FAMILIES), "lab": lab, "shadow": ours, "scores": (0.5, None), "runner_up": None,
        "target_family": None, "reason": "why not", "seed": 1, "policy": "random", "fingerprint": "f",
        "lab_names": tuple(f"name of {each}" for each in lab), "lab_families": tuple(family[each] for each in lab),
        "shadow_names": tuple(f"name of {each}" for each in ours),
        "shadow_families": tuple(family[each] for each in ours),
        "metrics": {"entropy_range": 1.0 / (number + 1), "mean_gap": None if number == 0 else 0.5},
    }  # fmt: skip
    return DecisionComparison(**(usual | fields))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a shadow that has begun to listen, and whose process is gone."""
    made = tmp_path / "lab-shadow"
    made.mkdir()
    kind, text = dump_event(CampaignStarted(small_plan(POOL, policy="random", seed=7), {}))
    header = {
        "started_at": "2026-11-30T09:00:00+00:00", "scenario": {"name": "lab"},
        SHADOW_BEGINNING: [{"kind": kind, "event": json.loads(text)}],
    }  # fmt: skip
    (made / RECORDING).write_text(json.dumps(header) + "\n")
    (made / SHADOW_LOCK).write_text("")
    return made


def write(folder: Path, rows: list[DecisionComparison], torn: str = "") -> None:
    (folder / COMPARISONS).write_text("".join(to_line(each) + "\n" for each in rows) + torn)


def test_a_shadow_that_has_heard_no_decision_yet_is_one_all_the_same(folder: Path) -> None:
    view = ShadowReader("k", folder).view()
    assert (view.name, view.policy, view.seed, view.scenario) == (small_plan(POOL).campaign, "random", 7, "lab")
    assert (view.decisions, view.shown, view.rows, view.phase) == (0, 0, (), "interrupted")
    assert "--resume" in view.reason
    card = card_of_run(find_runs(folder.parent)[0])
    assert (card.kind, card.phase, card.spent, card.problem) == ("shadow", "interrupted", 0, "")


def test_it_listens_as_long_as_who_holds_its_lock_is_there(folder: Path) -> None:
    (folder / SHADOW_LOCK).write_text(str(os.getpid()))
    assert ShadowReader("k", folder).view().phase == "running"


def test_each_moment_is_what_its_decisions_come_to(folder: Path) -> None:
    rng = random.Random(3)
    rows = [row(number, rng) for number in range(40)]
    write(folder, rows)
    reader = ShadowReader("k", folder)
    for shown in (0, 1, 17, 40):
        view, part = reader.view(shown), rows[:shown]
        assert (view.shown, view.decisions) == (shown, 40)
        assert view.same == sum(len(set(each.lab) & set(each.shadow)) for each in part)
        assert view.lab.chosen == view.shadow.chosen == 2 * shown
        assert view.lab.in_poorest == sum(each.lab_families.count(str(each.starved_family)) for each in part)
        assert view.shadow.in_poorest == sum(each.shadow_families.count(str(each.starved_family)) for each in part)
        assert sum(each.lab for each in view.families) == sum(each.shadow for each in view.families) == 2 * shown
        assert [each.number for each in view.rows] == list(range(shown - 1, -1, -1))
        assert view.course == reader.view().course, "the course is that of all"
    assert view.course.same[-1] == view.same / 80
    assert view.course.lab_in_poorest[16] == reader.view(17).lab.in_poorest / 34
    assert view.course.metrics["mean_gap"][:2] == (None, 0.5)
    first = view.rows[-1]
    assert [each.name for each in first.lab] == list(rows[0].lab_names)
    assert [each.score for each in first.shadow] == [0.5, None]
    with pytest.raises(StoreError, match="from 0 to 40"):
        reader.view(41)


def test_of_many_decisions_the_last_are_told_and_the_course_is_thinned(folder: Path) -> None:
    rng = random.Random(4)
    write(folder, [row(number, rng) for number in range(2_000)])
    view = ShadowReader("k", folder).view()
    assert [view.rows[0].number, len(view.rows)] == [1_999, MAX_SHADOW_ROWS]
    assert len(view.course.decision) == MAX_COURSE
    assert (view.course.decision[0], view.course.decision[-1]) == (1, 2_000)


def test_what_is_written_while_it_is_read_comes_whole_and_a_file_made_again_is_read_again(folder: Path) -> None:
    rng = random.Random(5)
    rows = [row(number, rng) for number in range(6)]
    reader = ShadowReader("k", folder)
    write(folder, rows[:2], to_line(rows[2])[:-30])
    assert reader.view().decisions == 2
    with (folder / COMPARISONS).open("a") as file:
        file.write(to_line(rows[2])[-30:] + "\n" + to_line(rows[3]) + "\n")
    assert [each.number for each in reader.view().rows] == [3, 2, 1, 0]
    other = [row(number, rng) for number in range(3)]
    (folder / "new").write_text("".join(to_line(each) + "\n" for each in other))
    (folder / "new").replace(folder / COMPARISONS)
    assert [each.lab[0].id for each in reader.view().rows] == [each.lab[0] for each in reversed(other)]


def test_lines_of_before_say_less_and_are_read(folder: Path) -> None:
    names = ("lab_names", "lab_families", "shadow_names", "shadow_families")
    old: dict[str, Any] = dict.fromkeys(names, ()) | {"metrics": {}}
    write(folder, [row(0, random.Random(6), **old)])
    view = ShadowReader("k", folder).view()
    assert (view.families, view.metrics, view.rows[0].lab[0].family) == ((), (), "")
    assert view.rows[0].lab[0].name == view.rows[0].lab[0].id


def test_it_is_told_to_programs_line_by_line(folder: Path) -> None:
    rng = random.Random(7)
    write(folder, [row(0, rng)])
    (folder / SHADOW_LOCK).write_text(str(os.getpid()))

    def sleep(_: float) -> None:
        with (folder / COMPARISONS).open("a") as file:
            file.write(to_line(row(1, rng)) + "\n")
        (folder / SHADOW_LOCK).write_text("")

    told = [json.loads(line) for line in shadow_lines(ShadowReader("k", folder), sleep)]
    assert [next(iter(each)) for each in told] == ["shadow", "shadow", "ended"]
    assert told[-1]["ended"] == {"phase": "interrupted", "reason": told[1]["shadow"]["reason"], "decisions": 2}


def test_one_that_ends_while_it_is_read_is_not_over_before_its_last_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(9)
    write(folder, [row(0, rng)])
    (folder / SHADOW_LOCK).write_text(str(os.getpid()))
    whole = ShadowReader._read_lines

    def read_and_end(reader: ShadowReader) -> None:
        whole(reader)
        with (folder / COMPARISONS).open("a") as file:
            file.write(to_line(row(1, rng)) + "\n")
        (folder / SHADOW_LOCK).write_text("")

    monkeypatch.setattr(ShadowReader, "_read_lines", read_and_end)
    told = [json.loads(line) for line in shadow_lines(ShadowReader("k", folder), lambda _: None)]
    assert [each["shadow"]["decisions"] for each in told if "shadow" in each][-1] == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda folder: (folder / COMPARISONS).write_text('{"number": 0}\n'), "made again from the recording"),
        (lambda folder: (folder / COMPARISONS).write_text("no line\n"), "made again from the recording"),
        (lambda folder: (folder / RECORDING).write_text("{}\n"), "does not say how a shadow began"),
        (lambda folder: (folder / RECORDING).unlink(), "does not say how a shadow began"),
        (
            lambda folder: (folder / RECORDING).write_text(
                (folder / RECORDING).read_text().replace('"seed": 7', '"seed": "x"')
            ),
            "CampaignStarted",
        ),
    ],
)
def test_a_folder_that_cannot_be_read_says_why_in_the_list_and_nothing_is_written(
    folder: Path, change: Any, problem: str
) -> None:
    write(folder, [row(0, random.Random(8))])
    change(folder)
    before = contents(folder)
    card = card_of_run(find_runs(folder.parent)[0])
    assert (card.kind, card.phase) == ("shadow", "unreadable")
    assert problem in card.problem
    with pytest.raises(StoreError):
        ShadowReader("k", folder).view()
    assert contents(folder) == before


def test_nothing_of_a_run_is_asked_of_a_shadow(folder: Path) -> None:
    assert is_shadow(folder)
    with pytest.raises(StoreError, match="only listens") as refused:
        open_run(folder)
    assert "entropilot watch" in refused.value.action
