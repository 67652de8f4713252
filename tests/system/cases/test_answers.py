"""An instrument of somebody else over a real broker: each of its answers gets a receipt that says what became of it."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
import pytest

from agent.campaign.events import AttemptFailed, ResultContradicted
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import (
    CandidateRequest,
    CandidateResult,
    Health,
    Quantity,
    ReceiptStatus,
    ResultReceipt,
    Status,
)
from scenarios.broker.broker import LOOPBACK
from tests.support.commands import live_at
from tests.system.cases.bench import CAMPAIGN, Case, envelope, mosquitto, say, say_and_wait, stranger

pytestmark = pytest.mark.system

INSTRUMENT = "furnace"
VALUE, ANOTHER = 1.5, 2.5
"""Both in the lab's range, and in its unit."""


@dataclass
class Clumsy:
    """Answers every candidate four times: unreadable, in a wrong unit, right, and then with another value."""

    asked: dict[str, CandidateRequest] = field(default_factory=dict)
    """By candidate: the first request only."""
    receipts: dict[str, list[ResultReceipt]] = field(default_factory=lambda: defaultdict(list))
    """By attempt."""
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Message ids, by attempt."""

    def hear(self, client: paho.Client, topic: str, payload: bytes) -> None:
        if "/request/" not in topic and "/receipt/" not in topic:
            return
        message = decode(topic, payload)
        if isinstance(message, CandidateRequest) and message.candidate_id not in self.asked:
            self.asked[message.candidate_id] = message
            self._publish(client, self._result(message, VALUE), mood="good")
        elif isinstance(message, ResultReceipt) and message.status is not ReceiptStatus.WITHDRAWN:
            self.receipts[message.attempt_id].append(message)
            request = next(each for each in self.asked.values() if each.attempt_id == message.attempt_id)
            match len(self.receipts[message.attempt_id]):
                case 1:
                    self._publish(client, self._result(request, VALUE, unit="kJ"))
                case 2:
                    self._publish(client, self._result(request, VALUE))
                case 3:
                    self._publish(client, self._result(request, ANOTHER))

    def _result(self, request: CandidateRequest, value: float, unit: str = "eV") -> CandidateResult:
        return CandidateResult(
            **(envelope() | {"message_id": uuid.uuid4().hex}),
            attempt_id=request.attempt_id,
            candidate_id=request.candidate_id,
            simulator=INSTRUMENT,
            quantities=(Quantity(name=request.properties[0], value=value, unit=unit),),
            duration_s=0.1,
        )

    def _publish(self, client: paho.Client, result: CandidateResult, **more: Any) -> None:
        self.sent[result.attempt_id].append(result.message_id)
        if more:
            client.publish(topic_of(result), json.dumps(json.loads(encode(result)) | more), qos=1)
        else:
            say(client, result)


def test_an_instrument_hears_of_each_answer_what_became_of_it_and_can_correct_it(case: Case) -> None:
    instrument = Clumsy()
    with mosquitto(case.folder) as port, stranger(port, instrument.hear) as client:
        here = Status(**envelope(), client=INSTRUMENT, role="simulator", health=Health.ONLINE)
        say_and_wait(client, here, retain=True)
        url = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--campaign", CAMPAIGN)
        one_by_one = ("--set", f'campaign.recipients=["{INSTRUMENT}"]', "--set", "campaign.parallel=1")
        case.must("agent", "lab.toml", *url, "--budget", "4", "--quiet", *one_by_one, *live_at(port))
    assert case.observed() == case.observed(f"value = {VALUE}") == 4
    first = list(instrument.asked.values())[:3]  # with the fourth the campaign is over, and nobody listens any more
    for request in first:
        told = instrument.receipts[request.attempt_id]
        assert [each.status for each in told] == [
            ReceiptStatus.REFUSED, ReceiptStatus.REFUSED, ReceiptStatus.ACCEPTED, ReceiptStatus.CONTRADICTS,
        ]  # fmt: skip
        assert [each.answers for each in told] == instrument.sent[request.attempt_id]
        assert "mood" in told[0].detail
        assert "'kJ'; expected 'eV'" in told[1].detail
        for each in told:
            assert case.asked(f"SELECT digest FROM journal WHERE sequence = {each.row}") == [(each.digest,)]
    assert case.events(AttemptFailed) >= 3
    assert case.events(ResultContradicted) >= 3
    assert "contradicted what the journal holds" in case.must("report", CAMPAIGN).out
    assert "result_contradicted" in (case.run_folder / "agent.jsonl").read_text()
