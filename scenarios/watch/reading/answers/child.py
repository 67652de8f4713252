"""The process that works answers out: it takes questions as frames on its standard input, one by one.

    python -m scenarios.watch.reading.answers.child

Only the worker starts it. What a run's own code would do is not allowed here: a policy of the user's own is not asked.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from agent.campaign.life_cycle import OPEN
from protocols.concurrency.child import serve
from protocols.errors import EntropilotError
from scenarios.display.progress import no_progress
from scenarios.verify.verify import verify
from scenarios.watch.reading.answers.from_here import what_if_from
from scenarios.watch.reading.answers.question import Question
from scenarios.why.as_json import explanation_json
from scenarios.why.explanation import Verdict
from scenarios.why.why import explain_run
from scenarios.why.words import explanation_in_words

WIDTH: Final = 100
"""Of the lines that an explanation is told in [character]."""

READY: Final = b"ready"
"""The first frame, and its answer: all is imported."""

VERDICTS: Final = {Verdict.SAME: True, Verdict.DIFFERS: False}


def answer(frame: bytes) -> bytes:
    """Answer a question; what is wrong becomes an answer too."""
    if frame == READY:
        return READY
    question = Question.of(frame)
    try:
        told = _ANSWERS[question.kind](question)
    except EntropilotError as error:
        told = {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - a damaged run may raise anything; it is told, and the process lives on
        told = {"error": f"a fault of Entropilot: {type(error).__name__}: {error}"}
    return json.dumps(told, ensure_ascii=True).encode()


def _why(question: Question) -> dict[str, Any]:
    folder = Path(question.folder)
    _, explanation = explain_run(str(folder), str(question.decision), folder.parent, question.database, no_progress)
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, force_terminal=False).print(explanation_in_words(explanation))
    return {
        "same_today": VERDICTS.get(explanation.again.verdict),
        "words": [line.rstrip() for line in out.getvalue().splitlines()],
        "document": json.loads(explanation_json(explanation)),
        "is_final": all(each.outcome.status not in OPEN for each in explanation.chosen),
    }


def _what_if(question: Question) -> dict[str, Any]:
    return what_if_from(Path(question.folder), question.database, question.policy, question.decision)


def _verify(question: Question) -> dict[str, Any]:
    folder = Path(question.folder)
    parts = verify(str(folder), folder.parent, question.database, no_progress)
    return {
        "is_sound": not any(part.problem for part in parts),
        "parts": [f"{part.name}: {part.rows:,} rows" for part in parts if not part.problem],
        "problems": [f"{part.name}: {part.problem}" for part in parts if part.problem],
    }


_ANSWERS: Final = {"why": _why, "what_if": _what_if, "verify": _verify}

if __name__ == "__main__":
    serve(answer)
