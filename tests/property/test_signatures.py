"""Whatever is signed is taken for what it is, and no single change of it, of its topic or of a key is."""

from __future__ import annotations

import contextlib

from hypothesis import assume, given
from hypothesis import strategies as st

from protocols.link.transport import Delivery
from protocols.signing.envelope import UnreadableSignature, unwrap, wrap
from protocols.signing.key_ring import KEY_BYTES, KeyRing
from protocols.signing.signature import judge, sign
from protocols.signing.transport import judged
from protocols.wire.topics import Channel, Topic
from tests.support.samples.keys import RING

payloads = st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode))
ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
topics = st.builds(
    Topic,
    ids,
    st.sampled_from([Channel.RESULT, Channel.FAILURE, Channel.STATUS, Channel.REQUEST, Channel.RECEIPT]),
    st.sampled_from(sorted(RING.instruments)),
)


@given(topics, payloads)
def test_what_a_part_signs_is_taken_for_its_own(topic: Topic, payload: bytes) -> None:
    verdict = judge(RING, str(topic), payload, sign(RING, str(topic), payload))
    assert (bool(verdict.signed_by), verdict.fault) == (True, "")


@given(topics, payloads, topics, payloads)
def test_a_signature_holds_for_no_other_topic_and_no_other_payload(
    topic: Topic, payload: bytes, other: Topic, another: bytes
) -> None:
    assume((topic, payload) != (other, another))
    verdict = judge(RING, str(other), another, sign(RING, str(topic), payload))
    assert (verdict.signed_by, bool(verdict.fault)) == ("", True)


@given(topics, payloads, st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_a_signature_of_another_key_holds_nowhere(topic: Topic, payload: bytes, key: bytes) -> None:
    assume(key not in RING.instruments.values())
    stranger = KeyRing(None, dict.fromkeys(RING.instruments, key))
    assert judge(RING, str(topic), payload, sign(stranger, str(topic), payload)).fault


@given(payloads, st.dictionaries(ids, st.text("0123456789abcdef", min_size=64, max_size=64), min_size=1, max_size=5))
def test_an_envelope_gives_back_what_was_put_into_it(payload: bytes, signatures: dict[str, str]) -> None:
    assert unwrap(wrap(payload, signatures)) == (payload, signatures)


@given(st.data(), topics, payloads)
def test_a_changed_byte_of_an_envelope_never_becomes_another_signed_message(
    data: st.DataObject, topic: Topic, payload: bytes
) -> None:
    wrapped = bytearray(wrap(payload, sign(RING, str(topic), payload)))
    place = data.draw(st.integers(0, len(wrapped) - 1))
    wrapped[place] = data.draw(st.integers(0, 255))
    heard = judged(Delivery(str(topic), bytes(wrapped), retain=False, qos=1, ack_token=None), RING)
    assert heard.payload == payload or not heard.signed_by


@given(st.binary(max_size=300).map(lambda tail: b'{"entropilot_signed"' + tail))
def test_any_bytes_are_an_envelope_none_or_named(payload: bytes) -> None:
    with contextlib.suppress(UnreadableSignature):
        found = unwrap(payload)
        assert found is None or found[1]
