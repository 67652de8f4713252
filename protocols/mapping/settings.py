"""The `[lab]` section: how the lab's messages are written. What it means together is checked in `mapping`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from protocols.wire.limits import MAX_DURATION_S, MAX_ID_LENGTH, MAX_PROVENANCE, MAX_QUANTITIES
from protocols.wire.messages import FailureReason, Identifier, Name

MAX_INSTRUMENTS: Final = 64
"""Most instruments of one mapping: as many as may sign."""

MAX_FIELDS: Final = 256
"""Most fields of one message to a lab: a row of a wide table."""

MAX_EXPRESSION_LENGTH: Final = 1000
"""Longest JMESPath expression [character]."""

MAX_TOPIC_LENGTH: Final = 500
"""Longest topic template [character]."""

MAX_SETPOINTS: Final = 64
"""Most topics that are written before a request."""

Expression = Annotated[str, Field(min_length=1, max_length=MAX_EXPRESSION_LENGTH)]
OptionalExpression = Annotated[str, Field(max_length=MAX_EXPRESSION_LENGTH)]
Template = Annotated[str, Field(min_length=1, max_length=MAX_TOPIC_LENGTH)]
Unit = Annotated[str, Field(max_length=MAX_ID_LENGTH)]
Payload = Literal["json", "number", "csv", "text"]
Correlation = Literal["attempt_id", "candidate_id", "source_id", "correlation_data", "only"]
_STRICT: Final = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class FieldSettings(BaseModel):
    """What stands in one field of a message to the lab."""

    model_config = _STRICT

    value: Expression
    """JMESPath over our message: `source_id`, `feature.temperature`."""
    unit: Unit = ""
    """Unit in which the lab wants it; empty: the number goes as it is."""
    from_unit: Unit = ""
    """Unit that it has with us; empty: that of the campaign's column, where `value` is a parameter of it."""
    optional: bool = False
    """Whether the field is left out where there is no value; else such a request fails, and says so."""


class WrittenSettings(BaseModel):
    """How a payload is written, either way."""

    model_config = _STRICT

    topic: Template
    """Topic, with named parts: `lab/{instrument}/run`. Known parts: instrument, attempt_id, candidate_id, campaign, and
    those of `lab.parts`."""
    payload: Payload = "json"
    """json; number: one plain number; csv: one row, after a header or not; text: a word. A number or a word is the
    field `value`."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """For csv: what stands between two cells."""
    decimal: Literal[".", ","] = "."
    """Decimal mark of numbers that are text."""


class OutgoingSettings(WrittenSettings):
    """A message to the lab."""

    fields: Annotated[dict[str, Expression | FieldSettings], Field(max_length=MAX_FIELDS)] = Field(default_factory=dict)
    """Field of the lab -> JMESPath over our message, or a table with units; `"sample.id"` makes an object in an
    object."""
    constants: Annotated[dict[str, JsonValue], Field(max_length=MAX_FIELDS)] = Field(default_factory=dict)
    """Field of the lab -> what always stands there."""
    header: bool = True
    """For csv: whether a header stands before the row."""
    qos: Literal[0, 1] = 1
    """Quality of service. 2 is not spoken: a client that is killed leaves its session stuck."""
    retain: bool = False
    """Whether the broker keeps it."""


class RequestSettings(OutgoingSettings):
    """What is sent for a request of ours."""

    response_topic: Annotated[str, Field(max_length=MAX_TOPIC_LENGTH)] = ""
    """MQTT 5: topic that the answer is wanted on, with named parts; the attempt's id then travels as correlation
    data."""


class RepeatSettings(BaseModel):
    """When a request is sent again to a lab that gives no word that it came."""

    model_config = _STRICT

    safe: bool = False
    """Whether the lab carries out a request that comes twice only once. Else none is repeated: an attempt that stays
    silent expires after `campaign.request_timeout_s`."""
    after_s: Annotated[float, Field(gt=0, le=MAX_DURATION_S)] = 60.0
    """Silence after which it is sent again [s]; twice as long each time."""
    times: Annotated[int, Field(ge=0, le=100)] = 0
    """How often at most."""


class IncomingSettings(WrittenSettings):
    """A message of the lab."""

    columns: tuple[str, ...] = ()
    """For csv without a header: names of the columns, in order."""
    when: OptionalExpression = ""
    """JMESPath over the message; where it finds nothing, or false, the message is none of ours and is passed over."""
    instrument: OptionalExpression = ""
    """JMESPath over the message: the lab's name of the instrument, where the topic does not tell it."""
    example: str = ""
    """A payload as the lab sends it; what the mapping looks for must be in it."""


class AnswerSettings(IncomingSettings):
    """A message of the lab that answers a request."""

    correlate_by: Correlation = "attempt_id"
    """How it says which request it answers. attempt_id, candidate_id, source_id: by an id that it repeats;
    correlation_data: by that of MQTT 5; only: it does not, and answers the only one that its instrument has."""
    id: OptionalExpression = ""
    """JMESPath over the message: the id; empty where it is a part of the topic."""
    echoes: Annotated[dict[str, Expression], Field(max_length=MAX_FIELDS)] = Field(default_factory=dict)
    """JMESPath over the message -> JMESPath over our request: what it repeats besides, and must repeat rightly."""


class QuantitySettings(BaseModel):
    """A property in a message of the lab."""

    model_config = _STRICT

    value: Expression
    """JMESPath over the message."""
    unit: Unit | None = None
    """Unit that the lab gives it in; by default the campaign's."""
    unit_field: OptionalExpression = ""
    """JMESPath over the message: the unit as it says it; anything but `unit` is refused."""
    standard_deviation: OptionalExpression = ""
    """JMESPath over the message: its standard uncertainty, in `unit`."""


class ScalarSettings(IncomingSettings):
    """A property on a topic of its own, beside the result."""

    payload: Payload = "number"
    """As of every message; here `number` by default."""
    value: Expression = "value"
    """JMESPath over the message."""
    unit: Unit | None = None
    """Unit that the lab gives it in; by default the campaign's."""


class ResultSettings(AnswerSettings):
    """How the lab tells what it measured."""

    quantities: Annotated[dict[Name, Expression | QuantitySettings], Field(min_length=1, max_length=MAX_QUANTITIES)]
    """Property -> JMESPath over the message, or a table with its unit."""
    duration_s: OptionalExpression = ""
    """JMESPath over the message: how long it took [s]; by default the time since the request was sent."""
    provenance: Annotated[dict[Name, Expression], Field(max_length=MAX_PROVENANCE - 2)] = Field(default_factory=dict)
    """Remark -> JMESPath over the message: what is kept beside the value."""


class FailureSettings(AnswerSettings):
    """How the lab tells that there is no result."""

    reason: FailureReason = FailureReason.CALCULATION_FAILED
    """What it means with us."""
    code: OptionalExpression = ""
    """JMESPath over the message: the lab's word for it, looked up in `reasons`."""
    reasons: Annotated[dict[str, FailureReason], Field(max_length=MAX_FIELDS)] = Field(default_factory=dict)
    """The lab's word -> what it means with us; `reason` for every other one."""
    detail: OptionalExpression = ""
    """JMESPath over the message: why, for people."""


class StatusSettings(IncomingSettings):
    """How the lab tells that an instrument is there."""

    payload: Payload = "text"
    """As of every message; here `text` by default."""
    value: Expression = "value"
    """JMESPath over the message."""
    online: Annotated[tuple[str, ...], Field(min_length=1)] = ("online",)
    """Words for being there."""
    offline: Annotated[tuple[str, ...], Field(min_length=1)] = ("offline",)
    """Words for being away."""


class LabSettings(BaseModel):
    """A lab that speaks its own messages."""

    model_config = _STRICT

    instruments: Annotated[dict[Identifier, Template], Field(min_length=1, max_length=MAX_INSTRUMENTS)]
    """Our id of an instrument -> its name in the lab's topics and messages."""
    parts: Annotated[dict[str, str], Field(max_length=MAX_FIELDS)] = Field(default_factory=dict)
    """Named parts of topics that never change: `{site}`."""
    own_topics: bool = True
    """Whether status, metrics and controls of ours travel over this broker as well, below `entropilot/`."""
    setpoints: Annotated[dict[Name, OutgoingSettings], Field(max_length=MAX_SETPOINTS)] = Field(default_factory=dict)
    """Topics that are written before each request, in this order: one scalar each, say."""
    request: RequestSettings
    """What is sent for a request."""
    repeat: RepeatSettings = Field(default_factory=RepeatSettings)
    """When it is sent again."""
    result: ResultSettings
    """How a result is understood."""
    scalars: Annotated[dict[Name, ScalarSettings], Field(max_length=MAX_QUANTITIES - 1)] = Field(default_factory=dict)
    """Further properties, each on a topic of its own. A result is whole when all have come since its request; what the
    lab said before then is not counted."""
    failure: FailureSettings | None = None
    """How a failure is understood; not there: silence is all that there is, and the attempt expires."""
    status: StatusSettings | None = None
    """How presence is understood; not there: its instruments count as there while the link is up."""
    receipt: OutgoingSettings | None = None
    """What is sent for a receipt, and of a message that was not understood; not there: nobody in the lab hears it."""


def field_of(given: str | FieldSettings) -> FieldSettings:
    """Return a field that may be written as its expression alone."""
    return FieldSettings(value=given) if isinstance(given, str) else given


def quantity_of(given: str | QuantitySettings) -> QuantitySettings:
    """Return a quantity that may be written as its expression alone."""
    return QuantitySettings(value=given) if isinstance(given, str) else given
