"""A signature holds for the very topic, payload and key that it was made with, and for nothing else."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from protocols.errors import MessageError
from protocols.signing.key_ring import KeyRing
from protocols.signing.signature import MAX_TOPICS_KNOWN, Verdict, judge, require_signature, sign, signature
from tests.support.samples.keys import RING, key_of

BASE = "entropilot/v1/demo"
RESULT = f"{BASE}/result/furnace"
PAYLOAD = b'{"value": 1.5}'


def test_a_signature_is_what_the_documents_say() -> None:
    """Written here as a lab would write it, from docs/how-to/sign.md."""
    key, covered = key_of("furnace"), b""
    for part in (b"entropilot/signature/1", RESULT.encode(), PAYLOAD):
        covered += len(part).to_bytes(8, "big") + part
    expected = hmac.new(key, covered, hashlib.sha256).hexdigest()
    assert signature(key, RESULT, PAYLOAD) == expected
    assert sign(RING.part_of("furnace"), RESULT, PAYLOAD) == {"furnace": expected}


def test_what_is_remembered_of_topics_is_bounded_and_changes_no_signature() -> None:
    ring = RING.part_of("furnace")
    once = sign(ring, RESULT, PAYLOAD)
    for number in range(2 * MAX_TOPICS_KNOWN):
        sign(ring, f"{BASE}/result/stranger-{number}", PAYLOAD)
    assert len(ring.known) == MAX_TOPICS_KNOWN
    assert sign(ring, RESULT, PAYLOAD) == once == sign(RING.part_of("furnace"), RESULT, PAYLOAD)
    assert sign(ring, RESULT, b"another") != once
    assert ring == RING.part_of("furnace"), "what was signed makes no other ring"


@pytest.mark.parametrize(
    ("topic", "speaker", "signer"),
    [
        (RESULT, "furnace", "furnace"),
        (f"{BASE}/failure/furnace", "furnace", "furnace"),
        (f"{BASE}/status/furnace", "furnace", "furnace"),
        (f"{BASE}/status/agent", "agent", "agent"),
        (f"{BASE}/metrics", "agent", "agent"),
        (f"{BASE}/control/alice", "alice", "alice"),
        (f"{BASE}/request/furnace", "agent", "agent"),
        (f"{BASE}/receipt/furnace", "agent", "agent"),
        (f"{BASE}/request/any", "agent", "agent"),
    ],
)
def test_what_a_part_signs_the_others_take_for_its_own(topic: str, speaker: str, signer: str) -> None:
    own = RING if speaker == "agent" else RING.part_of(speaker)
    signatures = sign(own, topic, PAYLOAD)
    assert judge(RING, topic, PAYLOAD, signatures) == Verdict(signed_by=signer)


def test_each_instrument_finds_its_own_signature_of_a_request_to_any() -> None:
    topic = f"{BASE}/request/any"
    signatures = sign(RING, topic, PAYLOAD)
    assert set(signatures) == set(RING.instruments)
    for name in RING.instruments:
        assert judge(RING.part_of(name), topic, PAYLOAD, signatures).signed_by == "agent"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"{BASE}/result/simulator-1", PAYLOAD),
        (f"{BASE}/failure/furnace", PAYLOAD),
        ("entropilot/v1/demo2/result/furnace", PAYLOAD),
        (RESULT, PAYLOAD + b" "),
        (RESULT, PAYLOAD[:-1]),
        (RESULT, b""),
    ],
)
def test_a_message_that_was_moved_or_changed_is_found_out(topic: str, payload: bytes) -> None:
    verdict = judge(RING, topic, payload, sign(RING, RESULT, PAYLOAD))
    assert (verdict.signed_by, bool(verdict.fault)) == ("", True)


def test_nothing_moves_from_the_topic_to_the_payload() -> None:
    key = key_of("furnace")
    assert signature(key, "a/b", b"c") != signature(key, "a/", b"bc")
    assert signature(key, "ab", b"") != signature(key, "a", b"b")


def test_another_instruments_key_is_no_instruments_own() -> None:
    forged = {"furnace": signature(key_of("simulator-1"), RESULT, PAYLOAD)}
    assert "another key, or it was changed or moved" in judge(RING, RESULT, PAYLOAD, forged).fault
    honest = {"simulator-1": signature(key_of("simulator-1"), RESULT, PAYLOAD)}
    assert "'simulator-1'" in judge(RING, RESULT, PAYLOAD, honest).fault


def test_an_instrument_cannot_speak_for_the_agent_to_another() -> None:
    topic = f"{BASE}/receipt/furnace"
    forged = {"furnace": signature(key_of("simulator-1"), topic, PAYLOAD)}
    assert judge(RING.part_of("furnace"), topic, PAYLOAD, forged).fault
    assert not sign(RING.part_of("simulator-1"), topic, PAYLOAD)


def test_who_has_no_key_of_the_speaker_says_so() -> None:
    verdict = judge(RING.part_of("furnace"), f"{BASE}/result/simulator-1", PAYLOAD, {"simulator-1": "0" * 64})
    assert "no key of 'simulator-1' is known here" in verdict.fault


def test_the_common_topic_of_operators_names_nobody_who_could_have_signed() -> None:
    verdict = judge(RING, f"{BASE}/control", PAYLOAD, {"alice": signature(key_of("alice"), f"{BASE}/control", PAYLOAD)})
    assert f"{BASE}/control/<operator>" in verdict.fault


def test_without_keys_or_signatures_nothing_is_said() -> None:
    assert judge(KeyRing(), RESULT, PAYLOAD, {"furnace": "0" * 64}) == Verdict()
    assert judge(RING, RESULT, PAYLOAD, {}) == Verdict()
    assert judge(RING, "elsewhere", PAYLOAD, {"furnace": "0" * 64}) == Verdict()
    assert sign(RING, "elsewhere", PAYLOAD) == {}


@pytest.mark.parametrize(
    ("verdict", "always", "reason"),
    [
        (Verdict(), False, None),
        (Verdict(signed_by="furnace"), True, None),
        (Verdict(), True, "unsigned"),
        (Verdict(fault="it does not hold"), False, "wrong_signature"),
        (Verdict(fault="it does not hold"), True, "wrong_signature"),
    ],
)
def test_what_is_required_decides_what_is_refused(verdict: Verdict, always: bool, reason: str | None) -> None:
    class Message:
        signed_by, signature_fault = verdict.signed_by, verdict.fault

    if reason is None:
        require_signature(Message(), always=always)
        return
    with pytest.raises(MessageError) as caught:
        require_signature(Message(), always=always)
    assert caught.value.reason == reason
