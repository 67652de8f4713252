"""Asks a policy in a process that has just begun: what it keeps of this one, it does not have there."""

from __future__ import annotations

import base64
import os
import pickle  # of what this process has made itself
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

from protocols.concurrency.child import ONE_THREAD
from scenarios.testing.questions import Question

PATIENCE_S: Final = 120.0
"""How long a process may take before it counts as hanging [s]: imports, a fit, and a machine that does other work."""

_PROGRAM: Final = """
import base64, pickle, sys
sys.path[:] = pickle.loads(base64.b64decode(sys.stdin.readline()))
make, questions = pickle.loads(base64.b64decode(sys.stdin.readline()))
policy = make()
answers = [policy.propose(each.context, each.count) for each in questions]
sys.__stdout__.write("\\nanswers " + base64.b64encode(pickle.dumps(answers)).decode())
"""


class NotImportable(Exception):
    """What makes the policy cannot be found by another process."""


def answers_elsewhere(make: Any, questions: Sequence[Question]) -> list[Any]:
    """Return the proposals of a policy that is made and asked in a new process.

    Args:
        make: Makes the policy.
        questions: Put in this order.

    Raises:
        NotImportable: When the new process cannot import what makes it, as with a class inside of a function.
        RuntimeError: When it fails.
    """
    try:
        told = pickle.dumps((make, tuple(questions)))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotImportable(str(error)) from error
    lines = [base64.b64encode(each).decode() for each in (pickle.dumps(sys.path), told)]
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False,
        timeout=PATIENCE_S, env=os.environ | ONE_THREAD | {"PYTHONHASHSEED": "12345"},
    )  # fmt: skip
    if "No module named" in ended.stderr or "AttributeError: Can't get attribute" in ended.stderr:
        raise NotImportable(ended.stderr.strip().rpartition("\n")[2])
    if ended.returncode != 0:
        raise RuntimeError(f"a new process failed: {ended.stderr[-2000:]}")
    answers: list[Any] = pickle.loads(base64.b64decode(ended.stdout.rpartition("answers ")[2]))  # noqa: S301 - ours
    return answers
