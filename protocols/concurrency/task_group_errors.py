"""What a group of failed tasks means to a person."""

from __future__ import annotations

from protocols.errors import EntropilotError


def first_failure(failures: BaseExceptionGroup) -> BaseException:
    """Return the failure that explains a group: one that a person can act on, before one that is our own fault."""
    leaves: list[BaseException] = []
    stack: list[BaseException] = [failures]
    while stack:
        failure = stack.pop()
        if isinstance(failure, BaseExceptionGroup):
            stack.extend(failure.exceptions)
        else:
            leaves.append(failure)
    return next((leaf for leaf in leaves if isinstance(leaf, EntropilotError)), leaves[-1])
