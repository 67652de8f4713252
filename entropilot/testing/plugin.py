"""The pytest plug-in, found by pytest wherever Entropilot is installed: it must cost nothing to who does not use it.

It lets the suites say what they compared when a promise is broken, and gives the questions for policies as a fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scenarios.testing.questions import Question

pytest.register_assert_rewrite(
    "scenarios.testing.evaluators", "scenarios.testing.policies", "scenarios.testing.readers"
)


@pytest.fixture(scope="session")
def policy_questions() -> tuple[Question, ...]:
    """Return the questions that the contract puts to a policy: small pools and what is known of them."""
    from scenarios.testing.questions import policy_questions as made

    return made()
