"""An order as JSON, with the members of the message that it becomes, and what would have been typed for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from protocols.errors import SettingsError
from protocols.wire.limits import MAX_COUNT, MAX_QUANTITIES, MAX_SOURCE_ID_LENGTH, MAX_TEXT_LENGTH
from protocols.wire.messages import ID_PATTERN, ControlAction, Quantity, SourceId
from scenarios.control.orders import ACTIONS, Wanted
from scenarios.watch.state.model import Shown

Text = Annotated[str, Field(max_length=MAX_TEXT_LENGTH)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Heading = Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_ID_LENGTH)]

MAX_CELLS: Final = 2_100
"""Most cells of the row of a new candidate: 2,000 features and what stands beside them."""

VERBS: Final[Mapping[ControlAction, str]] = {action: verb for verb, action in ACTIONS.items()}
"""What a message asks for -> what a person types."""


class OrderBody(Shown):
    """An order for a campaign: the members of a control message that a person decides on."""

    action: ControlAction
    """What is asked for; all but `add_observations`, for which the command `control` reads a table."""
    reason: Text = ""
    """Why, for the journal."""
    message_id: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    """Names the order for ever: the same one again changes nothing twice. Made by whoever asks, so that an answer that
    was lost can be asked for; null: it is made here."""
    candidate_id: SourceId | None = None
    """Whom it is about, as the campaign or its table writes it."""
    source_id: SourceId | None = None
    """The same: which of both names it is is found out."""
    decision: Count | None = None
    """Which one, of `approve_decision` and `veto_decision`."""
    budget: Count | None = None
    """The new one, of `set_budget`."""
    quantity: Quantity | None = None
    """What was measured, of `add_observation` and `amend_observation`."""
    additional: Annotated[tuple[Quantity, ...], Field(max_length=MAX_QUANTITIES)] = ()
    """Values of the properties that are balanced beside it, of `add_observation`."""
    row: Annotated[dict[Heading, Text], Field(max_length=MAX_CELLS)] = Field(default_factory=dict)
    """The cells of a new candidate by column of the campaign's table, of `add_candidates`."""

    @property
    def candidate(self) -> str | None:
        """Whom it is about."""
        return self.source_id or self.candidate_id


_NEEDED: Final[Mapping[ControlAction, tuple[str, ...]]] = {
    ControlAction.EXCLUDE_CANDIDATE: ("candidate",),
    ControlAction.REQUEUE_CANDIDATE: ("candidate",),
    ControlAction.RETRACT_OBSERVATION: ("candidate",),
    ControlAction.AMEND_OBSERVATION: ("candidate", "quantity"),
    ControlAction.ADD_OBSERVATION: ("candidate", "quantity"),
    ControlAction.ADD_CANDIDATES: ("row",),
    ControlAction.APPROVE_DECISION: ("decision",),
    ControlAction.VETO_DECISION: ("decision",),
    ControlAction.SET_BUDGET: ("budget",),
}
"""Order -> what must be said with it."""

_SAID_AS: Final[Mapping[str, str]] = {"candidate": "source_id"}
"""What is needed -> the member that says it, where that is called otherwise."""


def wanted_in(body: OrderBody) -> Wanted:
    """Return an order as it would have been typed; it never names a file.

    Raises:
        SettingsError: When something lacks that it needs.
    """
    if body.action not in VERBS:
        raise SettingsError(
            f"{body.action.value} is nothing that this page asks for",
            expected=f"one of {', '.join(each.value for each in VERBS)}",
            action="`entropilot control RUN add-result FILE` adds the values of a table",
        )
    needed = _NEEDED.get(body.action, ())
    lacking = [_SAID_AS.get(name, name) for name in needed if getattr(body, name) in (None, {})]
    if lacking:
        raise SettingsError(
            f"{body.action.value} lacks {' and '.join(lacking)}",
            expected=f"{' and '.join(_SAID_AS.get(name, name) for name in needed)} beside it",
            action="say it",
        )
    quantity = body.quantity
    return Wanted(
        VERBS[body.action],
        _words(body),
        None if quantity is None else quantity.name,
        None if quantity is None else quantity.unit,
        None if quantity is None else quantity.standard_deviation,
    )


def _words(body: OrderBody) -> tuple[str, ...]:
    value = "" if body.quantity is None else repr(body.quantity.value)
    said: list[str] = []
    for name in _NEEDED.get(body.action, ()):
        if name == "row":
            said += [f"{column}={cell}" for column, cell in body.row.items()]
        else:
            said.append(value if name == "quantity" else str(getattr(body, name)))
    if body.action is ControlAction.ADD_OBSERVATION:
        said += [f"{each.name}={each.value!r}" for each in body.additional]
    return tuple(said)
