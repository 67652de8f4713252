"""The process that evaluates: it makes the evaluator that the first frame names, and answers requests one by one.

    python -m simulators.executors.child

Only the executors start it. It takes nothing but frames, on its standard input.
"""

from __future__ import annotations

import json
import sys

from protocols.concurrency.child import serve
from protocols.errors import EntropilotError
from protocols.extras import ExtraMissingError
from protocols.wire.codec import decode_payload
from protocols.wire.messages import CandidateRequest, FailureReason, cut
from simulators.evaluator import EvaluationFailed, Evaluator, Measurement, identity_of
from simulators.executors.frames import (
    complaint_reply,
    failure_content,
    measurement_content,
    opening_reply,
    read_opening,
)
from simulators.oracle_table import NoAnswer
from simulators.registry import make_evaluator


def answer_request(evaluator: Evaluator, frame: bytes) -> dict[str, object]:
    """Evaluate one request; whatever the evaluator does becomes a reply."""
    request = decode_payload(frame)
    try:
        if not isinstance(request, CandidateRequest):
            raise EvaluationFailed(FailureReason.INVALID_REQUEST, f"a {request.type} is no request")  # noqa: TRY301
        return measurement_content(Measurement.of(evaluator.evaluate(request)))
    except EvaluationFailed as failure:
        return failure_content(failure)
    except NoAnswer:
        return {"silent": True}
    except ExtraMissingError as lacking:
        return {"reason": FailureReason.UNSUPPORTED.value, "detail": cut(str(lacking))}
    except Exception as error:  # noqa: BLE001 - a calculator may raise anything; it is reported, not lost
        return {"reason": FailureReason.CRASHED.value, "detail": cut(_in_words(error))}


def _in_words(error: Exception) -> str:
    """Return kind and text of whatever an evaluator raised; its text may be code that fails as well."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - somebody else's __str__
        return f"{type(error).__name__}, which has no text that can be told"


def _limit_memory(megabytes: int | None) -> None:
    if megabytes is not None and sys.platform != "win32":
        import resource

        limit = megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Serve evaluations. The first frame holds the settings; its answer says who evaluates, or complains."""
    evaluator: Evaluator | None = None

    def answer(frame: bytes) -> bytes:
        nonlocal evaluator
        if evaluator is None:
            try:
                settings = read_opening(frame)
                _limit_memory(settings.memory_limit_mb)
                evaluator = make_evaluator(settings)
                return opening_reply(identity_of(evaluator))
            except EntropilotError as error:
                return complaint_reply(str(error))
        return json.dumps(answer_request(evaluator, frame)).encode()

    serve(answer)


if __name__ == "__main__":
    main()
