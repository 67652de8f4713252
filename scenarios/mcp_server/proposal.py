"""An order that a language model would like to be given; only a person can give it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from protocols.errors import SettingsError
from protocols.wire.limits import MAX_ID_LENGTH, MAX_TEXT_LENGTH
from scenarios.control.orders import ACTIONS, Terms, Wanted, typed_order
from scenarios.control.verbs import ADD_CANDIDATE, ADD_RESULT, VERBS
from scenarios.display.console import visible

VALID_FOR: Final = timedelta(hours=24)
"""How long a proposal can be approved: what was right yesterday may be wrong today."""

MAX_WORDS: Final = 64
"""Most words of a proposal: the columns of a row."""

Word = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH * 4)]

ProposalState = Literal["waiting", "approved", "rejected"]


class Proposal(BaseModel):
    """An order that was proposed, and what became of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    format: Literal[1] = 1
    """Version of the file."""
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Names the proposal, and is the message id of its order: approved twice it is carried out once."""
    made_at: AwareDatetime
    """When."""
    proposer: Annotated[str, Field(max_length=200)] = ""
    """What the client of the model calls itself; anybody can call itself anything."""
    run: Annotated[str, Field(max_length=200)]
    """Key of the run."""
    folder: Annotated[str, Field(max_length=4096)] | None = None
    """Its folder; null where it is reached over a broker."""
    broker: Annotated[str, Field(max_length=4096)] | None = None
    """URL of the broker, without a password."""
    campaign: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    """Name of the campaign."""
    uid: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    """Which campaign of that name; empty where that is not known."""
    sequence: int
    """Last row of the journal when it was proposed."""
    verb: Annotated[str, Field(max_length=40)]
    """What to do, as `entropilot control` takes it."""
    words: Annotated[tuple[Word, ...], Field(max_length=MAX_WORDS)] = ()
    """What follows it."""
    unit: Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)] | None = None
    """Unit of a value; null for the property's own."""
    standard_deviation: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Standard uncertainty of a value."""
    reason: Annotated[str, Field(max_length=MAX_TEXT_LENGTH)] = ""
    """Why, in the model's words."""
    state: ProposalState = "waiting"
    """What became of it."""
    outcome: str = ""
    """The same in words: what the agent said, or why a person rejected it."""
    row: int | None = None
    """Row of the journal that the order made."""
    decided_at: AwareDatetime | None = None
    """When a person approved or rejected it."""
    operator: str = ""
    """Who."""

    @property
    def wanted(self) -> Wanted:
        """What it asks for, as a command line would."""
        return Wanted(self.verb, self.words, None, self.unit, self.standard_deviation)

    @property
    def in_words(self) -> str:
        """What would be done, for people: as it would be typed."""
        typed = " ".join((self.verb, *self.words))
        unit = f" --unit {self.unit}" if self.unit else ""
        deviation = "" if self.standard_deviation is None else f" --standard-deviation {self.standard_deviation:g}"
        return f"{typed}{unit}{deviation}"

    def is_over(self, now: datetime) -> bool:
        """Whether it is too old to be approved."""
        return now > self.made_at + VALID_FOR

    def decided(self, state: ProposalState, outcome: str, *, now: datetime, operator: str, row: int | None) -> Self:
        """Return it with what became of it."""
        change: Mapping[str, object] = {
            "state": state,
            "outcome": outcome,
            "row": row,
            "decided_at": now,
            "operator": operator,
        }
        return self.model_copy(update=change)


def one_line(text: str) -> str:
    """Return a text of a stranger as one line: a line break in it could pass for a line of ours."""
    return re.sub(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]", " ", visible(text))


def require_proposable(wanted: Wanted, property_name: str, unit: str) -> None:
    """Check that an order can be proposed: its words fit, and it names no file.

    Args:
        wanted: What is proposed.
        property_name: Which the campaign measures.
        unit: Its unit.

    Raises:
        SettingsError: When it can not.
    """
    if wanted.verb not in ACTIONS:
        raise SettingsError(
            f"{wanted.verb[:MAX_ID_LENGTH]!r} is nothing that a campaign can be asked for",
            expected=", ".join(f"{verb} {words}".rstrip() for verb, words in VERBS.items()),
        )
    if wanted.table is not None or (wanted.verb == ADD_RESULT and len(wanted.words) < 2):  # noqa: PLR2004 - id and value
        raise SettingsError(
            f"{wanted.verb} is proposed with a file",
            expected="words alone: what is in a file, a person looks at and gives",
            action="propose CANDIDATE VALUE, or COLUMN=VALUE for each column",
        )
    if wanted.verb == ADD_CANDIDATE:
        _ = wanted.row
        return
    typed_order(wanted, lambda: Terms(property_name, unit))
