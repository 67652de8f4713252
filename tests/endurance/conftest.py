"""What the tests with real processes share: stages, and the decisions of twins that were left in peace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.endurance.stage import Stage, Terms, require_mosquitto, twin_of
from tests.endurance.verdict import Decisions, Verdict

Open = Callable[..., Stage]
Judge = Callable[[Stage], Verdict]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens stages with a running broker; ends what a failed test leaves."""
    require_mosquitto()
    with ExitStack() as stack:

        def open_stage(terms: Terms, **fields: Any) -> Stage:
            return stack.enter_context(Stage(tmp_path / "stage", terms, **fields))

        yield open_stage


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Terms], Decisions]:
    """The decisions of a campaign left in peace; one twin serves all tests of the same budget and policy."""
    known: dict[tuple[int, str, int], Decisions] = {}

    def decisions(terms: Terms) -> Decisions:
        key = terms.budget, terms.policy, terms.parallel
        if key not in known:
            known[key] = twin_of(Terms(*key), tmp_path_factory.mktemp("twin"))
        return known[key]

    return decisions


@pytest.fixture
def judged(twin: Callable[[Terms], Decisions]) -> Judge:
    """Waits for a campaign's end and asserts that nothing is lost, doubled or decided otherwise."""

    def judge(stage: Stage) -> Verdict:
        verdict = stage.judged(twin(stage.terms))
        assert verdict.problems == []
        return verdict

    return judge
