"""What authors of plug-ins run: one class of tests for each kind of plug-in, to which they supply one fixture.

    import pytest
    from entropilot.testing import PolicyContract
    from my_package.policies import Nearest


    class TestNearest(PolicyContract):
        @pytest.fixture
        def make_policy(self):
            return Nearest

It needs pytest: `pip install 'entropilot[testing]'`. What each promise is for: docs/how-to/plug-ins.md.
"""

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from scenarios.testing.evaluators import EvaluatorContract, EvaluatorSample, request_for
    from scenarios.testing.policies import PolicyContract
    from scenarios.testing.questions import Question, policy_questions, pool_of, question_of
    from scenarios.testing.readers import ReaderContract, ReaderSample

_PLACES = {
    "EvaluatorContract": "scenarios.testing.evaluators",
    "EvaluatorSample": "scenarios.testing.evaluators",
    "PolicyContract": "scenarios.testing.policies",
    "Question": "scenarios.testing.questions",
    "ReaderContract": "scenarios.testing.readers",
    "ReaderSample": "scenarios.testing.readers",
    "policy_questions": "scenarios.testing.questions",
    "pool_of": "scenarios.testing.questions",
    "question_of": "scenarios.testing.questions",
    "request_for": "scenarios.testing.evaluators",
}

__all__ = [
    "EvaluatorContract",
    "EvaluatorSample",
    "PolicyContract",
    "Question",
    "ReaderContract",
    "ReaderSample",
    "policy_questions",
    "pool_of",
    "question_of",
    "request_for",
]


def __getattr__(name: str) -> object:
    """Import a name of the suites."""
    if name not in _PLACES:
        raise AttributeError(f"module 'entropilot.testing' has no attribute {name!r}; it has {', '.join(__all__)}")
    found: object = getattr(_importlib.import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names of the suites."""
    return list(__all__)
