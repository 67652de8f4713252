"""A command becomes messages of one campaign and operator, and asks for no more than it needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings
from protocols.signing.transport import UNSIGNED
from protocols.wire.codec import encode
from protocols.wire.messages import Control, MetricsReport
from scenarios.control import control as controlling
from scenarios.control.control import ControlRequest, Outcome, control
from scenarios.control.orders import Wanted
from scenarios.control.place import Place
from scenarios.control.sender import Answer, Fate
from tests.support.campaigns import NOW

PLACE = Place("lab", "ann", BrokerSettings(url="mqtt://127.0.0.1:1"), UNSIGNED)
REPORT = MetricsReport(
    campaign="lab", message_id="r", sent_at=NOW, observation=1, property="energy", unit="eV", families=()
)


@pytest.fixture(autouse=True)
def _accepting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that goes out is accepted; nothing is retained."""

    async def send(messages: Sequence[tuple[Control, str]], _place: Place, _timeout_s: float) -> tuple[Answer, ...]:
        return tuple(Answer(message, about, Fate.ACCEPTED) for message, about in messages)

    monkeypatch.setattr(controlling, "_send", send)
    monkeypatch.setattr(controlling, "retained_on", lambda *_: {})


def asked(*words: str, **options: object) -> Outcome:
    verb, *rest = words
    return control(ControlRequest(Wanted(verb, tuple(rest), **options), "why", "once"), PLACE)  # type: ignore[arg-type]


def test_a_message_says_who_asks_of_whom_and_why() -> None:
    (answer,) = asked("pause").answers
    message = answer.message
    assert (message.campaign, message.operator, message.reason, message.message_id) == ("lab", "ann", "why", "once")


def test_a_command_without_an_id_gets_one() -> None:
    ids = {control(ControlRequest(Wanted("pause")), PLACE).message_id for _ in range(2)}
    assert len(ids) == 2


def test_the_messages_of_a_table_have_ids_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("id,energy\n" + "".join(f"m{number},1\n" for number in range(201)) + "m999,\n", encoding="utf-8")
    made = asked("add-result", str(path), property_name="energy", unit="eV")
    ids = [each.message.message_id for each in made.answers]
    assert (len(set(ids)), "once" in ids) == (2, False)
    assert made.notes == (f"1 rows of {path} have no value, and were left out",)


def test_what_the_campaign_measures_is_heard_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="--property and --unit"):
        asked("amend", "m1", "2")
    monkeypatch.setattr(controlling, "retained_on", lambda _broker, topics: {topics[0]: encode(REPORT)})
    quantity = asked("amend", "m1", "2").answers[0].message.quantity
    assert quantity is not None
    assert (quantity.name, quantity.value, quantity.unit) == ("energy", 2.0, "eV")
    monkeypatch.setattr(controlling, "retained_on", lambda _broker, topics: {topics[0]: b"a stranger's"})
    with pytest.raises(SettingsError, match="--property and --unit"):
        asked("amend", "m1", "2")


def test_new_candidates_need_a_scenario() -> None:
    with pytest.raises(SettingsError, match="How the pool of this campaign is made"):
        asked("add-candidate", "id=x", "family=cubic")
    with pytest.raises(SettingsError, match="nothing is said of it"):
        asked("add-candidate")


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (ControlRequest(Wanted("pause"), message_id="No Id"), "no message id"),
        (ControlRequest(Wanted("pause"), reason="x" * 501), "501 characters"),
        (ControlRequest(Wanted("pause", ("--raison",))), "no option '--raison'"),
        (ControlRequest(Wanted("amend", ("m1", "1"), unit="")), "no property and no unit"),
        (ControlRequest(Wanted("amend", ("m1", "1"), standard_deviation=float("nan"))), "no standard deviation"),
    ],
)
def test_what_no_message_can_carry_is_refused(request_: ControlRequest, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        request_.require_possible()
    ControlRequest(Wanted("amend", ("m1", "-1.5")), "why", "an-id").require_possible()
