"""Which decisions wait for a person: settings, and the rule. Nothing is ever approved by time or by itself."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.pool.candidates import Candidate
from agent.pool.elements import elements_of
from agent.pool.growth import NewCandidate

NEVER: Final = "never"
ALWAYS: Final = "always"
FIRST_N: Final = "first_n"
RULE: Final = "rule"

Required = Literal["never", "always", "first_n", "rule"]
"""Which decisions wait: none, every one, the first so many, or those of which a rule says so."""

MAX_NAMED: Final = 500
"""Most families or elements that a rule names: as many as a metrics report has families."""

MAX_TIMEOUT_S: Final = 365 * 86_400.0
"""Longest wait for a person before everything else is held as well [s]."""

MAX_TOLD: Final = 3
"""Decisions that wait for approval, of which a sentence tells the numbers."""

_ELEMENT: Final = re.compile(r"[A-Z][a-z]?")
"""How a chemical symbol is written."""


class ApprovalSettings(BaseModel):
    """Which decisions are held until an operator approves them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    required: Required = NEVER
    """`never`; `always`: every decision; `first_n`: the first `first` of them; `rule`: those with a candidate of one of
    `families`, with one of `elements` in its formula, or that the policy made itself (`new_candidates`)."""
    first: Annotated[int, Field(ge=1, le=10_000_000)] = 5
    """For first_n: how many decisions."""
    families: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_NAMED)] = ()
    """For rule: families."""
    elements: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_NAMED)] = ()
    """For rule: chemical symbols."""
    new_candidates: bool = False
    """For rule: whether candidates that the policy made itself are meant."""
    timeout_s: Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)] | None = None
    """How long a decision may wait while others are still made [s]: then nothing more is decided until somebody
    approves or vetoes it. Nothing is ever approved by itself. By default others are made as long as there is room."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        has_rule = bool(self.families or self.elements or self.new_candidates)
        if has_rule != (self.required == RULE):
            message = (
                'required = "rule" says what the rule is: families, elements or new_candidates'
                if self.required == RULE
                else f'families, elements and new_candidates go with required = "rule", not "{self.required}"'
            )
            raise ValueError(message)
        wrong = [each for each in self.elements if not _ELEMENT.fullmatch(each)]
        if wrong:
            message = f"{wrong[0]!r} is no chemical symbol; expected such as Pb"
            raise ValueError(message)
        return self


NO_APPROVAL: Final = ApprovalSettings()
"""Nothing waits for a person."""


def needs_approval(
    approval: ApprovalSettings, decision: int, chosen: Iterable[Candidate], new: Sequence[NewCandidate]
) -> bool:
    """Tell whether a decision is held until an operator approves it.

    Args:
        approval: The settings.
        decision: Its number.
        chosen: The candidates of the pool that it chose.
        new: Those that join the pool with it and are chosen.
    """
    match approval.required:
        case "never":
            return False
        case "always":
            return True
        case "first_n":
            return decision < approval.first
        case "rule":
            everybody = (*chosen, *(each.as_candidate() for each in new))
            return (bool(new) and approval.new_candidates) or any(
                each.family in approval.families or _may_hold(each, approval.elements) for each in everybody
            )


def _may_hold(candidate: Candidate, elements: Collection[str]) -> bool:
    """Tell whether a candidate may hold one of some elements; where nobody says of which it is, that is assumed."""
    told = elements_of(candidate) if elements else frozenset()
    return told is None or not told.isdisjoint(elements)


def waits_in_words(decisions: Collection[int], *, is_held_up: bool) -> str:
    """Return which decisions wait for approval, in words; empty where none does.

    Args:
        decisions: Their numbers, oldest first.
        is_held_up: Whether one has waited for so long that nothing else is decided.
    """
    if not decisions:
        return ""
    told = ", ".join(map(str, itertools.islice(decisions, MAX_TOLD)))
    more = " …" if len(decisions) > MAX_TOLD else ""
    several = len(decisions) > 1
    waiting = f"decision{'s' * several} {told}{more} wait{'s' * (not several)} for approval"
    return f"{waiting}, for so long that nothing else is decided" if is_held_up else waiting
