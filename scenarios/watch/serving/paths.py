"""Every path of the API, what it takes and answers: the one source of routes, checks and OpenAPI. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel

from protocols.wire.limits import MAX_COUNT, MAX_SOURCE_ID_LENGTH
from scenarios.watch.broker.order_body import OrderBody
from scenarios.watch.reading.source import DatasetOrder
from scenarios.watch.serving.limits import MAX_PIXELS, MAX_ROWS
from scenarios.watch.serving.told import Health, PolicyListing, RunListing
from scenarios.watch.state.answers import Comparison, ControlAnswer, Explanation, Verified, WhatIf
from scenarios.watch.state.lab import Instrument
from scenarios.watch.state.moment import DecisionCard, Moment
from scenarios.watch.state.runs import Campaign
from scenarios.watch.state.shadow import ShadowView
from scenarios.watch.state.tables import DatasetPage, JournalPage, SetAside
from scenarios.watch.state.trust import Trust

EVENTS: Final = "text/event-stream"
BYTES: Final = "application/octet-stream"
PROMETHEUS: Final = "text/plain"
JSON: Final = "application/json"

LATEST: Final = "latest"
"""In place of an observation: as the campaign stands now."""

EXPORTED: Final = ("trajectory", "dataset", "journal")
FORMATS: Final = ("csv", "json", "parquet")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that a path takes.

    Attributes:
        name: Of it.
        words: What it means.
        where: `path`, `query` or `header`.
        kind: What its text must be.
        choices: The only values, where there are such.
        least: Smallest number.
        most: Largest number, or most characters.
        default: Where it is left out; None: nothing.
        is_needed: Whether it may not be left out.
    """

    name: str
    words: str
    where: Literal["path", "query", "header"] = "query"
    kind: Literal["string", "integer", "boolean"] = "string"
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = MAX_SOURCE_ID_LENGTH
    default: int | str | bool | None = None
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for.

    Attributes:
        name: Of it, as programs say it.
        path: With its parameters in braces.
        words: What it answers.
        answer: The model of the answer; of a list the model of one.
        is_list: Whether the answer is a list of it.
        media: The type of the answer.
        parameters: What it takes, beside those that its path names.
        body: The model of what is posted; None for a GET.
        status: Of the answer.
        may_wait: Whether the answer may be a 202: the same is being worked out, ask again.
        wants_token: Whether it is below `/api`.
    """

    name: str
    path: str
    words: str
    answer: type[BaseModel] | None = None
    is_list: bool = False
    media: str = JSON
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    is_post: bool = False
    status: HTTPStatus = HTTPStatus.OK
    may_wait: bool = False
    wants_token: bool = True

    @property
    def method(self) -> str:
        """Of HTTP."""
        return "POST" if self.is_post else "GET"


KEY: Final = Parameter("key", "Key of the run, as the list of runs says it.", "path", most=200, is_needed=True)
DECISION: Final = Parameter(
    "decision", "Number of the decision, from 0.", "path", "integer", most=MAX_COUNT, is_needed=True
)
OBSERVATION: Final = Parameter(
    "observation", f"Number of an observation, or `{LATEST}`.", "path", most=20, is_needed=True
)
IN_PATHS: Final = {each.name: each for each in (KEY, DECISION, OBSERVATION)}
"""Parameters that paths name."""

AT: Final = Parameter("at", "As it was after this observation; left out: as it is now.", kind="integer", most=MAX_COUNT)
OFFSET: Final = Parameter("offset", "Number of the first row, from 0.", kind="integer", most=MAX_COUNT, default=0)
LIMIT: Final = Parameter("limit", "How many rows at most.", kind="integer", least=1, most=MAX_ROWS, default=100)
FAMILY: Final = Parameter("family", "Of this family alone.")
TEXT: Final = Parameter("text", "With this in the name or id, in capitals or not.")
ORDER: Final = Parameter(
    "order",
    "By what it is ordered; with a minus the largest first.",
    choices=get_args(DatasetOrder),
    default="sequence",
)
KIND: Final = Parameter("kind", "Of this kind alone.")
CANDIDATE: Final = Parameter("candidate", "About this candidate alone, by our id.")
OPERATOR: Final = Parameter("operator", "Ordered by this operator alone.")
LAST_EVENT: Final = Parameter(
    "Last-Event-ID",
    "The row of the journal up to which everything is known: points after it come, each once and in order. Left out: "
    "what is new from now on.",
    "header",
    "integer",
    most=MAX_COUNT,
)

SHOWN: Final = Parameter(
    "shown", "As it stood after so many decisions; left out: as it stands.", kind="integer", most=MAX_COUNT
)

_RUN: Final = "/api/runs/{key}"

OPERATIONS: Final = (
    Operation("runs", "/api/runs", "All runs, each with where it stands.", RunListing),
    Operation("shadow", "/api/shadows/{key}", "A lab, and the policy in its shadow. It takes no orders.", ShadowView,
              parameters=(SHOWN,)),
    Operation("campaign", _RUN, "What a campaign is.", Campaign),
    Operation("moment", f"{_RUN}/at/{{observation}}", "A campaign as it stood after an observation.", Moment),
    Operation(
        "series", f"{_RUN}/series", "A part of the trajectory, as bytes (see the layout of a series).", media=BYTES,
        parameters=(
            Parameter("from", "Number of the first observation.", kind="integer", most=MAX_COUNT, default=0),
            Parameter("to", "Number of the last one; left out: the latest.", kind="integer", most=MAX_COUNT),
            Parameter("px", "Pixels that it is drawn on: what is longer than a page bears is reduced to as many.",
                      kind="integer", least=1, most=MAX_PIXELS),
        ),
    ),
    Operation("decisions", f"{_RUN}/decisions", "Decisions by number.", DecisionCard, is_list=True,
              parameters=(OFFSET, LIMIT)),
    Operation("decision", f"{_RUN}/decisions/{{decision}}", "One decision.", DecisionCard),
    Operation("why", f"{_RUN}/decisions/{{decision}}/why", "Why it was made, and whether it would be made again.",
              Explanation, may_wait=True),
    Operation(
        "what_if", f"{_RUN}/what-if", "What another policy would have done, on the answers that were recorded.", WhatIf,
        may_wait=True,
        parameters=(
            Parameter("policy", "Which policy; one of /api/policies.", is_needed=True),
            Parameter("from", "The first decision that it makes.", kind="integer", most=MAX_COUNT, default=0),
        ),
    ),
    Operation("instruments", f"{_RUN}/instruments", "The instruments, and what they are at.", Instrument, is_list=True),
    Operation("dataset", f"{_RUN}/dataset", "Rows of the dataset, with those that were taken back.", DatasetPage,
              parameters=(AT, OFFSET, LIMIT, FAMILY, TEXT, ORDER)),
    Operation("set_aside", f"{_RUN}/set-aside", "Candidates that are closed without a value that counts.", SetAside,
              is_list=True),
    Operation(
        "journal", f"{_RUN}/journal", "Rows of the journal.", JournalPage,
        parameters=(
            Parameter("after", "Behind this row.", kind="integer", most=MAX_COUNT, default=0), LIMIT, KIND, CANDIDATE,
            OPERATOR,
            Parameter("tail", "The last rows that fit, in place of the first.", kind="boolean", default=False),
        ),
    ),
    Operation("trust", f"{_RUN}/trust", "How far the run can be trusted, and what was put aside.", Trust),
    Operation("verify", f"{_RUN}/verify", "Check everything that the run wrote against everything else.", Verified,
              is_post=True, may_wait=True),
    Operation("controls", f"{_RUN}/controls", "Orders that were given from here, the latest first.", ControlAnswer,
              is_list=True),
    Operation("control", f"{_RUN}/controls", "Give an order. The answer says that it is on its way; what becomes of it "
              "is told by the event `receipt`, and by the list.", ControlAnswer, body=OrderBody, is_post=True,
              status=HTTPStatus.ACCEPTED),
    Operation(
        "export", f"{_RUN}/export", "What is seen, as a file.", media=BYTES,
        parameters=(
            Parameter("what", "Which table.", choices=EXPORTED, default="trajectory"),
            Parameter("format", "Of the file.", choices=FORMATS, default="csv"),
            AT, FAMILY, TEXT, ORDER, KIND, CANDIDATE, OPERATOR,
        ),
    ),
    Operation("events", f"{_RUN}/events", "What happens, as it happens: server-sent events.", media=EVENTS,
              parameters=(LAST_EVENT,)),
    Operation("compare", "/api/compare", "Two runs beside each other.", Comparison,
              parameters=(Parameter("left", "Key of the first run.", is_needed=True),
                          Parameter("right", "Key of the second run.", is_needed=True))),
    Operation("policies", "/api/policies", "The policies that can be asked what they would have done.", PolicyListing),
    Operation("openapi", "/api/openapi.json", "This API, as OpenAPI 3.1.", media=JSON),
    Operation("metrics", "/metrics", "Figures of all runs, for Prometheus.", media=PROMETHEUS, wants_token=False),
    Operation("health", "/health", "That the server is there.", Health, wants_token=False),
)  # fmt: skip
"""All of it, in the order of the document."""


def parameters_of(operation: Operation) -> tuple[Parameter, ...]:
    """Return what an operation takes, that of its path first."""
    named = tuple(parameter for name, parameter in IN_PATHS.items() if f"{{{name}}}" in operation.path)
    return (*named, *operation.parameters)


Values = dict[str, Any]
"""Parameter -> what was asked for."""
