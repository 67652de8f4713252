"""The table of a shadow fits a terminal, and says what a person must know before reading anything into it."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from scenarios.shadow.comparison import FamilyRow, ShadowSummary, summarise
from scenarios.shadow.listener import ShadowProgress, ShadowRequest
from scenarios.shadow.outcome import agreement_sentence, shadow_json
from scenarios.shadow.report import MAX_FAMILIES_SHOWN, notes, shadow_table, watched
from scenarios.world.world import build_world
from tests.support.samples.heard import POOL, heard, listener, request, result
from tests.support.table_run import table_scenario


def summary(**changes: object) -> ShadowSummary:
    shadow = listener(estimator="m_spacing")
    heard(shadow, [request("c001"), result("c001")])
    found = summarise(shadow, [], pool=POOL, scenario="s", gaps=0, stopped_because="it did", files=(), versions={})
    return dataclasses.replace(found, **({"not_asked": 0} | changes))  # type: ignore[arg-type]


def printed(found: ShadowSummary) -> str:
    out = io.StringIO()
    Console(file=out, width=80).print(shadow_table(found))
    return out.getvalue()


def test_a_comparison_of_nothing_is_told_as_one() -> None:
    assert "chosen nothing that could be compared" in printed(summary())
    assert '"format": 1' in shadow_json(summary())


def test_agreement_is_told_in_numbers_and_shares() -> None:
    found = summary(chosen=40, same=10, same_family=35)
    assert agreement_sentence(found) == (
        "The shadow made 10 of the lab's 40 choices too (25%), and chose the same family in 35 (88%)"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first_lab_number": 17}, "the lab's number 17"),
        ({"most_in_flight": 3}, "the lab had 3 in flight, campaign.parallel is 1"),
        ({"gaps": 2}, "kept nothing for us (2×)"),
        ({"not_asked": 4}, "was not asked about 4 decisions yet"),
    ],
)
def test_what_weakens_the_comparison_is_said(changes: dict[str, object], words: str) -> None:
    assert any(words in each for each in notes(summary(**changes)))
    assert list(notes(summary(first_lab_number=0))) == []


def test_of_many_families_those_chosen_most_are_shown() -> None:
    found = summary()
    names = tuple(f"f{n}" for n in range(20))
    bias = dataclasses.replace(found.before, families=names, sizes=(1,) * 20, entropies=(0.0,) * 20)
    rows = tuple(FamilyRow(name, number, 0) for number, name in enumerate(names))
    told = printed(dataclasses.replace(found, before=bias, after=bias, families=rows))
    assert f"… and {20 - MAX_FAMILIES_SHOWN} further families" in told
    assert "f19" in told
    assert "f0 " not in told


def test_what_waits_for_a_decision_to_be_filled_is_shown_while_it_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "300")
    scenario = table_scenario(tmp_path / "run", budget=5, policy="random")
    request = ShadowRequest(scenario, build_world(scenario), "demo", tmp_path)
    figures = {"connected": True, "chosen": 4, "in_flight": 0, "results": 4, "compared": 1, "same": 0, "last": ""}
    with watched(request, quiet=False) as told:
        told(ShadowProgress(**figures, forming=3, held=2))  # type: ignore[arg-type]
    assert "3 of a decision to be filled, 2 messages wait for it" in capsys.readouterr().err
