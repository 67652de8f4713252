"""What makes two requests one: the same content, asked of the same evaluator, by the same method.

An evaluator that names itself promises to depend on nothing else: not on ids, families, formulas or features.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from protocols.wire.messages import CandidateRequest
from simulators.executors.executor import Identity

KEY_VERSION: Final = 1
"""Goes up when a key is made of something else."""


def cache_key(identity: Identity, request: CandidateRequest) -> str | None:
    """Return the key of what is asked for, a SHA-256 in hexadecimal digits; None where there is no content to go by.

    Numbers go in as the shortest decimals that name them, so one bit makes another key; order of atoms counts.

    Args:
        identity: What names the evaluator.
        request: What is asked for.
    """
    content = request.model_dump(mode="json", include={"structure", "molecule", "parameters", "labels"})
    if not any(content.values()):
        return None
    content |= {
        "version": KEY_VERSION,
        "evaluator": dict(identity),
        "properties": list(request.properties),  # in their order: replicates are of the first
        "fidelity": request.fidelity,
    }
    text = json.dumps(_without_negative_zeros(content), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_negative_zeros(content: Any) -> Any:
    """Return JSON in which no zero has a sign: where an atom is does not depend on it."""
    if isinstance(content, dict):
        return {name: _without_negative_zeros(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_negative_zeros(value) for value in content]
    return content + 0.0 if isinstance(content, float) else content
