"""Whatever an error advises exists: each command, option, setting, table, variable, extra, module and document."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.documents.advice import UNKNOWN, advice_in, every_advice, problems_of

ADVICE = list(every_advice())

FEWEST = {"`entropilot ": 20, "--": 50, "campaign.": 5, "ENTROPILOT_": 1, "pip install": 2, "[": 10}
"""So many texts at least hold such words: a reader that found fewer would have overlooked some."""


def test_everything_that_an_error_names_exists() -> None:
    problems = [f"{each.place}: {problem}" for each in ADVICE for problem in problems_of(each.text)]
    assert problems == []


def test_the_texts_of_errors_are_found() -> None:
    found = Counter({words: sum(words in each.text for each in ADVICE) for words in FEWEST})
    assert all(found[words] >= fewest for words, fewest in FEWEST.items()), found
    assert len(ADVICE) > 1_000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("run `entropilot fly` again", "there is no command fly"),
        ("write it again with entropilot reprot", "there is no command reprot"),
        ("`entropilot run --fast`", "run has no option --fast"),
        ("correct --rums or the permissions", "no command has an option --rums"),
        ("set it by ENTROPILOT_BUDGET", "nobody reads ENTROPILOT_BUDGET"),
        ("change broker.cert_file_path", "there is no setting broker.cert_file_path"),
        ("set campaign.patience_s", "there is no setting campaign.patience_s"),
        ("add [pool.colums]", "there is no table [pool.colums]"),
        ("pip install 'entropilot[quantum]'", "there is no extra quantum"),
        ("python -m scenarios.nothing", "there is no module scenarios.nothing"),
        ("`make everything`", "make has no target everything"),
        ("see docs/how-to/fly.md", "there is no docs/how-to/fly.md"),
    ],
)
def test_what_does_not_exist_is_told(text: str, problem: str) -> None:
    assert problem in problems_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "correct --runs, or take it up with --resume",
        "`entropilot verify` tells whether a copy is sound",
        f"--set {UNKNOWN}=5, --{UNKNOWN}, ENTROPILOT_{UNKNOWN}, campaign.{UNKNOWN}",
        "set campaign.request_timeout_s in [campaign], or ENTROPILOT_CAMPAIGN__REQUEST_TIMEOUT_S; ENTROPILOT_RUNS",
        "[simulators.furnace] in scenario.toml, campaign.db and trajectory.csv",
        "pip install --force-reinstall entropilot",
        "`make simulate`",
    ],
)
def test_what_exists_and_what_is_only_known_when_it_is_said_is_no_problem(text: str) -> None:
    assert problems_of(text) == []


def test_texts_are_found_wherever_an_error_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.documents.advice.ROOT", tmp_path)
    (tmp_path / "a.py").write_text(
        """
def f(x):
    '''Not --this.'''
    message = f"choose --one of {x}"
    raise StoreError("found" + " --two", action="take " + ("--three" if x else f"--four{x}"))
    return f"or --five"
"""
    )
    told = " ".join(each.text for each in advice_in(tmp_path / "a.py"))
    assert all(word in told for word in ("--one", "--two", "--three", "--four", "--five"))
    assert "--this" not in told
