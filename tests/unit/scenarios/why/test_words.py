"""What is told of a decision can be read: every fact stands there, fits 80 columns, and is there as JSON."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from rich.console import Console

from agent.campaign.events import CampaignStarted, Event
from agent.entropy.bias import BIAS_METRICS
from scenarios.why.as_json import explanation_json
from scenarios.why.explain import explain
from scenarios.why.explanation import (
    CandidateDescription,
    Explanation,
    FamilyAtDecision,
    Prediction,
    Redecision,
    Verdict,
)
from scenarios.why.phrases import prediction_in_words, quantity, shown_rows
from scenarios.why.words import explanation_in_words
from tests.support.campaigns import Play, small_plan, small_pool, with_source_ids
from tests.support.samples.causal_decisions import benzene_world, causal_journal, causal_plan
from tests.support.samples.decided import decided_journal, decided_plan, smooth_pool

POOL = smooth_pool()
JOURNAL = decided_journal(POOL, decided_plan(POOL))
TOLD = explain(JOURNAL, POOL, 4)


def printed(told: Explanation, width: int = 80) -> str:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(explanation_in_words(told))
    return capture.get()


def words(told: Explanation) -> str:
    """What is printed, on one line: where it is broken does not matter."""
    return " ".join(printed(told, width=200).split())


def test_the_state_the_choice_and_its_outcome_are_told() -> None:
    text = words(TOLD)
    for part in (
        "demo decision 4 (0 to 7)",
        "running; 4 of 8 requested, 3 with an outcome; 18 values known to the decision (15 at the start, 3 acquired)",
        f"1 in flight: X{int(TOLD.then.in_flight[0].candidate.candidate_id[1:])} ",
        f"etal: {' '.join(TOLD.reason.split())}",
        f"chose {TOLD.first.candidate.formula} {TOLD.first.candidate.candidate_id} ({TOLD.target_family})",
        "2 atoms, 32.0 Å³/atom",
        "lost by ",
        "predicted formation_energy of",
        "deviation of its noise",
        "expected gain",
        f"seed {TOLD.seed}, fingerprint {TOLD.fingerprint}",
        "attempt 1 to simulator-1 (0.5 s): observed by simulator-1",
        "predicted deviations",
        f"h of {TOLD.target_family}",
        *(figure.label for figure in BIAS_METRICS),
    ):
        assert part in text, part


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_longer_than_the_terminal_and_no_heading_is_cut(width: int) -> None:
    told = replace(
        TOLD, chosen=(replace(TOLD.first, candidate=CandidateDescription("c1", "a family of a very long name" * 2)),)
    )
    lines = printed(told, width).splitlines()
    assert max(len(line) for line in lines) <= width
    heading = next(line for line in lines if line.strip().startswith("family"))
    assert heading.split() == ["family", "known", "pending", "available", "no", "gain", "h", "[nat]"]
    heading = next(line for line in lines if line.strip().startswith("bias"))
    assert " ".join(heading.split()) == "bias [nat] then before its value after it change"


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (Redecision(verdict=Verdict.SAME, notes=("a note",)), "the same decision comes out today note: a note"),
        (Redecision(verdict=Verdict.NOT_ASKED, why="[why]"), "it was not asked again: [why]"),
        (
            Redecision(
                verdict=Verdict.DIFFERS, why="a instead of b", candidate_ids=("a",), scores=(0.5,), runner_up="b"
            ),
            "another decision comes out today: a instead of b scores today: 0.5; runner-up b",
        ),
    ],
)
def test_what_comes_out_today_is_told(again: Redecision, said: str) -> None:
    assert said in words(replace(TOLD, again=again))


def test_brackets_in_names_are_shown_as_they_are() -> None:
    odd = replace(TOLD.first, candidate=CandidateDescription("c[red]1", "[bold]family"))
    text = words(replace(TOLD, chosen=(odd,), reason="[red]because"))
    assert "c[red]1 ([bold]family)" in text
    assert "[red]because" in text


def test_a_decision_whose_answer_is_awaited_says_so() -> None:
    pool = small_pool()
    play = Play(pool, small_plan(pool))
    play.settle()
    text = words(explain(play.journal, pool, 0))
    assert "attempt 1 to simulator-1: awaited no value yet: pending" in text
    assert "the policy named no runner-up" in text
    assert "nothing in flight" in text
    assert "h of" not in text


def test_several_choices_are_told_one_by_one() -> None:
    journal = decided_journal(POOL, decided_plan(POOL, "random", parallel=12, batch=12, budget=12))
    text = words(explain(journal, POOL, 0))
    assert text.count("chose X") == 8
    assert "… and 4 more" in text
    assert "1 other value had come since the decision" in text


def families(count: int) -> list[FamilyAtDecision]:
    return [
        FamilyAtDecision(
            name=f"f{i}", size=9, entropy=float(i), in_flight=0, available=1, no_gain_count=None, excluded=False
        )
        for i in range(count)
    ]


def test_of_many_families_the_poorest_the_richest_and_the_target_are_shown() -> None:
    assert shown_rows(families(14), "f3") == list(range(14))
    shown = shown_rows(families(400), "f200")
    assert len(shown) == 14
    assert shown == [*range(10), 200, 397, 398, 399]


@pytest.mark.parametrize(
    ("mean", "std", "said"),
    [
        (0.12345, 0.0456, "0.123 ± 0.046 eV"),
        (-12.3, 2.0, "−12.3 ± 2.0 eV"),
        (1.0, 345.6, "1 ± 345.6 eV"),
        (1.0, 1e-9, "1 ± 1e−09 eV"),
        (1.0, 0.0, "1 eV"),
        (1.0, None, "1 eV"),
        (None, 0.5, "± 0.5 eV (the policy tells no mean)"),
        (None, None, ""),
    ],
)
def test_a_prediction_has_the_digits_of_its_deviation(mean: float | None, std: float | None, said: str) -> None:
    assert prediction_in_words(replace(TOLD, unit="eV", prediction=Prediction(mean, std))) == said


def test_a_figure_without_a_unit_has_none() -> None:
    assert (quantity(-0.5), quantity(2, "eV")) == ("−0.5", "2 eV")


def test_the_json_holds_every_field_and_no_number_that_is_none() -> None:
    bad = replace(TOLD, deviations=float("nan"), policy_options={"metric": object, "patience": 3})
    tree = json.loads(explanation_json(bad, figure="why-4.png"))
    assert {field.name for field in fields(Explanation)} | {"format", "figure"} == set(tree)
    assert tree["deviations"] is None
    assert tree["policy_options"] == {"metric": "<class 'object'>", "patience": 3}
    assert tree["chosen"][0]["outcome"]["status"] == "observed"
    assert tree["again"]["verdict"] == "not_asked"
    assert tree["figure"] == "why-4.png"


def test_policy_options_are_told() -> None:
    started = JOURNAL[0]
    assert isinstance(started, CampaignStarted)
    changed: list[Event] = [
        replace(started, plan=started.plan.model_copy(update={"policy_options": {"patience": 9}})),
        *JOURNAL[1:],
    ]
    assert "etal (patience = 9): " in words(explain(changed, POOL, 0))


def test_an_option_that_is_a_long_table_is_cut() -> None:
    told = words(replace(TOLD, policy_options={"table": list(range(100)), "patience": 9}))
    assert "29, 30" not in told
    assert "…, patience = 9)" in told


def test_the_edit_the_effects_believed_then_and_the_runner_up_of_a_causal_decision_are_told() -> None:
    world = benzene_world()
    told = explain(causal_journal(world, causal_plan(world.pool)), world.pool, 2)
    text = words(told)
    assert told.effects is not None
    assert told.runner_up is not None
    for candidate in (told.first.candidate, told.runner_up):
        assert candidate.edits[0] in text
    for effect in told.effects.effects:
        assert f"{effect.name} {effect.mean:.3g} ± {effect.half_width:.3g}".replace("-", "−") in text
    assert "the choice was to narrow them to ±" in text
    assert "sought: above 5" in text
    tree = json.loads(explanation_json(told))
    assert tree["effects"]["effects"][0].keys() == {"name", "mean", "half_width", "expected_half_width"}
    assert tree["effects"]["threshold"] == 5.0
    assert tree["chosen"][0]["candidate"]["edits"] == list(told.first.candidate.edits)
    assert tree["runner_up"]["designs"] == list(told.runner_up.designs)
    assert json.loads(explanation_json(TOLD))["effects"] is None


def test_candidates_are_named_as_their_table_does_with_our_ids_beside() -> None:
    pool = with_source_ids(POOL)
    told = explain(JOURNAL, pool, 4)
    first = told.first.candidate
    assert first.source_id == f"C {int(first.candidate_id[1:])}/α"
    text = words(told)
    assert f"chose {first.formula} {first.source_id} ({first.candidate_id}) ({told.target_family})" in text
    assert f"of {first.source_id} ({first.candidate_id}): " in text, "what was predicted"
    tree = json.loads(explanation_json(told))
    assert tree["chosen"][0]["candidate"]["source_id"] == first.source_id
