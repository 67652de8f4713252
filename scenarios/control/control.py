"""Gives a campaign an operator's orders: finds where they go, makes them of what was typed, sends them, and waits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from protocols.errors import MessageError, SettingsError
from protocols.link.client_ids import listener_client_id
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd
from protocols.signing.transport import SignedTransport
from protocols.tables.format import USUAL, TableFormat
from protocols.wire.codec import decode
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.limits import MAX_ABS_VALUE, MAX_ID_LENGTH, MAX_TEXT_LENGTH
from protocols.wire.messages import ID_PATTERN, Control, MetricsReport
from protocols.wire.topics import Channel, Topic
from scenarios.broker.retained import retained_on
from scenarios.control.candidates_table import read_candidates, typed_candidate
from scenarios.control.messages import as_message, orders_of_candidates, orders_of_results
from scenarios.control.orders import Order, Terms, Wanted, typed_order
from scenarios.control.place import Place
from scenarios.control.results_table import read_results
from scenarios.control.sender import Answer, OrderSender, subscriptions_for
from scenarios.control.verbs import ADD_CANDIDATE
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.settings.model import Scenario

TIMEOUT_S: Final = 10.0
"""How long an order waits for its receipt, unless told otherwise [s]: an agent answers after its next commit."""

_LAWFUL_ID: Final = re.compile(ID_PATTERN)
_NEGATIVE: Final = re.compile(r"-[\d.]")
"""How a negative number begins."""


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """What a command asks for.

    Attributes:
        wanted: As it was typed.
        reason: Why, for the journal.
        message_id: Names the command: a repetition under the same one changes nothing.
        timeout_s: How long each order waits for its receipt [s].
        how: How a table is written.
    """

    wanted: Wanted
    reason: str = ""
    message_id: str = ""
    timeout_s: float = TIMEOUT_S
    how: TableFormat = USUAL

    def require_possible(self) -> None:
        """Check what a message could not carry.

        Raises:
            SettingsError: When something of it can be in none.
        """
        if self.message_id and _LAWFUL_ID.fullmatch(self.message_id) is None:
            raise SettingsError(
                f"{self.message_id[:MAX_ID_LENGTH]!r} can be no message id",
                expected=f"up to {MAX_ID_LENGTH} small letters, digits, - and _",
                action="give the one that the first command printed, or leave out --message-id",
            )
        if len(self.reason) > MAX_TEXT_LENGTH:
            raise SettingsError(
                f"The reason has {len(self.reason)} characters",
                expected=f"at most {MAX_TEXT_LENGTH}, as a message carries",
                action="say it in fewer words",
            )
        for word in self.wanted.words:
            if word.startswith("-") and not _NEGATIVE.match(word):
                raise self.wanted.wrong(f"there is no option {word[:MAX_ID_LENGTH]!r}")
        for text in (self.wanted.unit, self.wanted.property_name):
            if text is not None and not 0 < len(text) <= MAX_ID_LENGTH:
                raise self.wanted.wrong(f"{text[:MAX_ID_LENGTH]!r} can be no property and no unit")
        deviation = self.wanted.standard_deviation
        if deviation is not None and not deviation <= MAX_ABS_VALUE:
            raise self.wanted.wrong(f"{deviation} is no standard deviation")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command.

    Attributes:
        place: Where its orders went.
        message_id: Its id, for a repetition.
        answers: What became of each order.
        notes: What a person should know besides.
    """

    place: Place
    message_id: str
    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()


def control(request: ControlRequest, place: Place, progress: ProgressCall = no_progress) -> Outcome:
    """Send what is asked for, and wait for what the agent says to it.

    Args:
        request: What is asked for.
        place: Where it goes.
        progress: For a progress bar, while tables are read.

    Raises:
        SettingsError: When what was typed cannot be asked for.
        TableError: When a table cannot be used.
        BrokerError: When the broker cannot be reached, or refuses us.
    """
    prepared = messages_for(request, place, progress)
    answers = send_messages(prepared.messages, place, request.timeout_s)
    return Outcome(place, prepared.message_id, answers, prepared.notes)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The messages of a command, before anything is sent.

    Attributes:
        message_id: Of the command.
        messages: Each with what it is about, for people.
        notes: What a person should know besides.
    """

    message_id: str
    messages: tuple[tuple[Control, str], ...]
    notes: tuple[str, ...]


def messages_for(request: ControlRequest, place: Place, progress: ProgressCall = no_progress) -> Prepared:
    """Return the messages of a command.

    Args:
        request: What is asked for.
        place: Where it goes.
        progress: For a progress bar, while tables are read.

    Raises:
        SettingsError: When what was typed cannot be asked for.
        TableError: When a table cannot be used.
    """
    notes: list[str] = []
    orders = _orders(request, place, progress, notes)
    message_id = request.message_id or fresh_id()
    messages = tuple(
        (
            as_message(
                each,
                campaign=place.campaign,
                operator=place.operator,
                reason=request.reason,
                message_id=message_id,
                sent_at=datetime.now(UTC),
                is_one_of=request.wanted.table is not None,
            ),
            each.about,
        )
        for each in orders
    )
    return Prepared(message_id, messages, tuple(notes))


def send_messages(messages: Sequence[tuple[Control, str]], place: Place, timeout_s: float) -> tuple[Answer, ...]:
    """Send messages in their order, and wait for what the agent says to each.

    Args:
        messages: Each with what it is about.
        place: Where they go.
        timeout_s: How long each waits for its receipt [s].

    Raises:
        BrokerError: When the broker cannot be reached, or refuses us.
    """
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(_send(messages, place, timeout_s))


async def _send(messages: Sequence[tuple[Control, str]], place: Place, timeout_s: float) -> tuple[Answer, ...]:
    broker = place.broker
    patience_s = min(broker.first_connect_timeout_s, timeout_s)
    link = MqttSession(
        broker.model_copy(update={"first_connect_timeout_s": patience_s}),
        client_id=listener_client_id(f"{place.campaign}-{place.operator}", fresh_id()),
        subscriptions=subscriptions_for(place.campaign, place.operator),
        listens_only=True,
        ending=lambda: SessionEnd.ENDED,
    )
    transport = SignedTransport(link, place.signing)
    return await OrderSender(transport, signs=place.signing.has_keys, timeout_s=timeout_s).send(messages)


def _orders(request: ControlRequest, place: Place, progress: ProgressCall, notes: list[str]) -> list[Order]:
    """Return what is asked for; what a person should know of it joins the notes."""
    wanted = request.wanted
    if wanted.verb == ADD_CANDIDATE:
        return _new_candidates(request, place, progress)
    if wanted.table is None:
        return [typed_order(wanted, lambda: _required_terms(wanted, place))]
    scenario = None if place.scenario is None else place.scenario()
    columns = None if scenario is None else scenario.pool.columns
    if columns is not None and columns.features and place.pool is not None and columns.id is None:
        columns = columns.model_copy(update={"features": place.pool(progress).feature_names})
    found = read_results(Path(wanted.table), request.how, _required_terms(wanted, place), columns)
    if found.without_value:
        notes.append(f"{found.without_value} rows of {wanted.table} have no value, and were left out")
    return orders_of_results(found.results, found.places)


def _new_candidates(request: ControlRequest, place: Place, progress: ProgressCall) -> list[Order]:
    wanted = request.wanted
    if not wanted.words:
        raise wanted.wrong("nothing is said of it")
    if place.scenario is None or place.pool is None:
        raise SettingsError(
            "How the pool of this campaign is made is not known here",
            expected="its scenario: features of new candidates are made as those of the pool are",
            action="name the run's folder, or --scenario",
        )
    scenario, pool = place.scenario(), place.pool(progress)
    if wanted.table is None:
        made = typed_candidate(wanted.row, scenario, pool)
    else:
        made = read_candidates(Path(wanted.table), request.how, scenario, pool, progress)
    return orders_of_candidates(made.candidates, made.places)


def _required_terms(wanted: Wanted, place: Place) -> Terms:
    terms = _terms(wanted, place)
    if terms is None:
        raise SettingsError(
            f"What campaign {place.campaign} measures is not known here, nor said there before its first result",
            expected="its property and unit",
            action="name the run's folder, --scenario, or --property and --unit",
        )
    return terms


def _terms(wanted: Wanted, place: Place) -> Terms | None:
    """Return what the campaign measures: by its scenario, by what was typed, or by what it says itself."""
    if place.scenario is not None:
        return terms_of(place.scenario())
    if wanted.property_name is not None and wanted.unit is not None:
        return Terms(wanted.property_name, wanted.unit)
    topic = str(Topic(place.campaign, Channel.METRICS))
    payload = retained_on(place.broker, (topic,)).get(topic)
    try:
        said = None if payload is None else decode(topic, payload)
    except MessageError:
        return None
    return Terms(said.property, said.unit) if isinstance(said, MetricsReport) else None


def terms_of(scenario: Scenario) -> Terms:
    """Return what the campaign of a scenario measures."""
    campaign = scenario.campaign
    beside = {name: each.unit for name, each in campaign.additional_properties.items()}
    return Terms(campaign.property, campaign.unit, beside)
