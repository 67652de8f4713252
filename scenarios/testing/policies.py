"""What every policy keeps: a pure function of its question, which chooses among the candidates that it may choose.

    from entropilot.testing import PolicyContract


    class TestNearest(PolicyContract):
        @pytest.fixture
        def make_policy(self):
            return Nearest  # whatever makes one, called without arguments

Each promise is a test, put to the policy for each question (`questions.policy_questions`). A policy of pools of a kind
of its own overrides `questions`.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import pickle
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - its BLAS must be loaded before its threads can be limited
from threadpoolctl import threadpool_limits

from agent.acquisition.base import MeteringPolicy, Policy, Proposal
from scenarios.testing.deeds import watched
from scenarios.testing.fresh_process import NotImportable, answers_elsewhere
from scenarios.testing.questions import Question, policy_questions

MAX_REASON: Final = 200
"""Longest reason [character]: journals and screens keep no more."""

SCORE_TOLERANCE: Final = 1e-9
"""Share of a score within which another one counts as equal, as in `agent.acquisition.selection`."""

QUESTION: Final = "question"


class PolicyContract:
    """The promises of a policy. Derive a class from it, and supply the fixture `make_policy`.

    Attributes:
        chooses_in_sequence: Whether a choice is scored given those before it in the proposal, so that its score may be
            above theirs. Set it for a policy that does.
    """

    chooses_in_sequence: ClassVar[bool] = False

    @pytest.fixture
    def make_policy(self) -> Callable[[], Policy]:
        """Return what makes the policy, called without arguments: its class, or a `functools.partial`."""
        raise NotImplementedError("supply a fixture make_policy that returns what makes your policy")

    @pytest.fixture(autouse=True)
    def _one_blas_thread(self) -> Iterator[None]:
        """Give linear algebra one thread, as where the agent asks: the same sums in the same order."""
        with threadpool_limits(1):
            yield

    @staticmethod
    def questions() -> Sequence[Question]:
        """Return the questions; a policy of pools of its own kind has others."""
        return policy_questions()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Put a test that takes a question to each of them, by its name."""
        if QUESTION in metafunc.fixturenames:
            asked = self.questions()
            metafunc.parametrize(QUESTION, asked, ids=[each.name.replace(" ", "-") for each in asked])

    def test_it_has_the_one_method_of_a_policy(self, make_policy: Callable[[], Policy]) -> None:
        """A policy has a method propose(context, count)."""
        assert isinstance(make_policy(), Policy)

    def test_choices_are_distinct_and_may_be_chosen(
        self, make_policy: Callable[[], Policy], question: Question
    ) -> None:
        """Whatever is chosen is available (or new), once, and no more than was asked for; pending ones are not."""
        policy = make_policy()
        proposal = policy.propose(question.context, question.count)
        chosen = [choice.index for choice in proposal.choices]
        new = _new_indices(policy, question, proposal)
        assert isinstance(proposal, Proposal)
        assert all(isinstance(index, int) for index in chosen), "an index is a Python int: write int(index)"
        assert len(set(chosen)) == len(chosen) <= question.count, f"{question.count} were asked for: {chosen}"
        assert set(chosen) <= set(question.context.available.tolist()) | new, "only what is available may be chosen"
        assert not set(chosen) & set(question.context.pending.tolist()), "what is pending was asked for already"

    def test_a_proposal_can_be_kept(self, make_policy: Callable[[], Policy], question: Question) -> None:
        """Its reason is a short sentence; scores and details are finite; the runner-up was not chosen."""
        policy = make_policy()
        proposal = policy.propose(question.context, question.count)
        scores = [choice.score for choice in proposal.choices if choice.score is not None]
        assert proposal.reason, "without a reason nobody knows why"
        assert len(proposal.reason) <= MAX_REASON
        assert all(isinstance(name, str) for name in proposal.details)
        assert all(math.isfinite(each) for each in (*scores, *proposal.details.values())), "NaN cannot be kept"
        if proposal.target_family is not None:
            assert proposal.target_family in question.context.pool.families
        if (second := proposal.runner_up) is not None:
            assert second.index not in [choice.index for choice in proposal.choices]
            assert second.index in set(question.context.available.tolist()) | _new_indices(policy, question, proposal)
            assert second.score is None or math.isfinite(second.score)

    def test_the_best_comes_first_and_ties_fall_to_the_lowest_index(
        self, make_policy: Callable[[], Policy], question: Question
    ) -> None:
        """No score is above that of a choice before it; where two are equal, the lower index comes first."""
        proposal = make_policy().propose(question.context, question.count)
        ranked = list(proposal.choices)
        if self.chooses_in_sequence:  # each score holds given the choices before: only the last two can be compared
            ranked = ranked[-1:]
        ranked += [proposal.runner_up] if proposal.runner_up is not None else []
        for better, worse in itertools.pairwise(ranked):
            if better.score is None or worse.score is None:
                continue
            slack = SCORE_TOLERANCE * max(abs(better.score), abs(worse.score))
            assert better.score >= worse.score - slack, "larger scores are better, and the best comes first"
            assert better.score > worse.score + slack or better.index < worse.index, "of equal ones the lowest index"

    def test_the_same_question_has_the_same_answer(self, make_policy: Callable[[], Policy], question: Question) -> None:
        """Asked twice, and asked of another one that was just made, it proposes the same."""
        policy = make_policy()
        first = policy.propose(question.context, question.count)
        assert policy.propose(question.context, question.count) == first, "asked again, it proposes otherwise"
        assert make_policy().propose(question.context, question.count) == first, "a new one proposes otherwise"

    def test_what_it_was_asked_before_does_not_matter(self, make_policy: Callable[[], Policy]) -> None:
        """One that was asked all other questions answers as one that was asked nothing: a resumed campaign asks so."""
        asked = list(self.questions())
        alone = [make_policy().propose(each.context, each.count) for each in asked]
        lived = make_policy()
        assert [lived.propose(each.context, each.count) for each in asked] == alone
        assert [lived.propose(each.context, each.count) for each in reversed(asked)] == alone[::-1]

    def test_it_answers_the_same_after_pickling(self, make_policy: Callable[[], Policy]) -> None:
        """A pickled policy, and a pickled question, give the same proposals: children are asked so."""
        asked = list(self.questions())
        policy = make_policy()
        answers = [policy.propose(each.context, each.count) for each in asked]
        kept, questions = pickle.loads(pickle.dumps((policy, asked)))  # noqa: S301 - pickled here
        assert [kept.propose(each.context, each.count) for each in questions] == answers

    def test_it_answers_the_same_in_a_fresh_process(self, make_policy: Callable[[], Policy]) -> None:
        """A process that knows nothing of this one, and hashes otherwise, gives the same proposals."""
        asked = list(self.questions())
        policy = make_policy()
        try:
            elsewhere = answers_elsewhere(make_policy, asked)
        except NotImportable as error:
            pytest.skip(f"what makes the policy cannot be imported by another process: {error}")
        assert elsewhere == [policy.propose(each.context, each.count) for each in asked]

    def test_it_leaves_the_question_as_it_is(self, make_policy: Callable[[], Policy], question: Question) -> None:
        """Nothing of the context is written to, also where its arrays could be."""
        loose = copy.deepcopy(question.context)
        for array in _arrays_of(loose):
            array.setflags(write=True)
        make_policy().propose(loose, question.count)
        for before, after in zip(_arrays_of(question.context), _arrays_of(loose), strict=True):
            assert np.array_equal(before, after, equal_nan=before.dtype.kind == "f"), "an array was written to"

    def test_global_random_numbers_are_neither_used_nor_moved(
        self, make_policy: Callable[[], Policy], question: Question
    ) -> None:
        """Its randomness is `numpy.random.default_rng(context.seed)` alone."""
        with _seeded(1) as state:
            before = state()
            first = make_policy().propose(question.context, question.count)
            after = state()
        with _seeded(2):
            second = make_policy().propose(question.context, question.count)
        assert after == before, "it drew global random numbers"
        assert second == first, "it depends on global random numbers"

    def test_it_does_nothing_but_answer(
        self, make_policy: Callable[[], Policy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It writes no file, starts no program and talks to nobody; its first answer may import what it needs."""
        monkeypatch.chdir(tmp_path)
        policy = make_policy()
        for each in self.questions():
            policy.propose(each.context, each.count)
        with watched() as deeds:
            for each in self.questions():
                policy.propose(each.context, each.count)
        assert deeds == []
        assert list(tmp_path.iterdir()) == []

    def test_metrics_that_it_declares_follow_from_the_observations(self, make_policy: Callable[[], Policy]) -> None:
        """Two meters that saw the same values say the same, a number or nothing for each metric."""
        policy = make_policy()
        if not isinstance(policy, MeteringPolicy):
            pytest.skip("it declares none")
        for question in self.questions():
            pool, context = question.context.pool, question.context
            metrics = policy.metrics("eV", pool)
            names = tuple(each.name for each in context.targets) or ("first",)
            meters = [policy.meter(pool, names), make_policy().meter(pool, names)]  # type: ignore[attr-defined]
            for meter in meters:
                if hasattr(meter, "begin"):
                    meter.begin(context.campaign_seed)
                for place, index in enumerate(context.observed):
                    others = context.additional[place].tolist() if context.additional.size else []
                    meter.add(int(index), float(context.values[place]), *others)
            assert len({each.name for each in metrics}) == len(metrics), "each name once"
            assert len(meters[0].values()) == len(metrics), "a value for each metric that is declared"
            assert tuple(meters[0].values()) == tuple(meters[1].values())
            assert all(value is None or math.isfinite(value) for value in meters[0].values()), "None, not NaN"


@contextmanager
def _seeded(seed: int) -> Iterator[Callable[[], str]]:
    """Seed the global random numbers for a while; what is yielded tells their state."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield lambda: f"{random.getstate()} {np.random.get_state()}"
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)


def _new_indices(policy: Policy, question: Question, proposal: Proposal) -> set[int]:
    """Return the indices of candidates that a proposal brings; only a policy that says so may bring any."""
    size = len(question.context.pool.candidate_ids)
    if not getattr(policy, "grows_pool", False):
        assert not proposal.new_candidates, "say grows_pool = True on the class"
    return set(range(size, size + len(proposal.new_candidates)))


def _arrays_of(context: Any) -> list[Any]:
    """Return all arrays of a context and its pool, in order."""
    values = [getattr(context, each.name) for each in dataclasses.fields(context)]
    values += [getattr(context.pool, each.name) for each in dataclasses.fields(context.pool)]
    return [value for value in values if isinstance(value, np.ndarray)]
