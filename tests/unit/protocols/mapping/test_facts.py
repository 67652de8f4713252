"""Expressions look into our message, the candidate's features and parameters by name, and the lab's own name."""

from __future__ import annotations

from dataclasses import replace

from protocols.mapping.facts import receipt_document, request_document
from protocols.wire.messages import ReceiptStatus, ResultReceipt
from tests.support.mapping.samples import FACTS, FEATURES, NOW, request


def test_a_request_is_seen_with_features_and_the_labs_name_of_the_instrument() -> None:
    document = request_document(request(), "F1", FEATURES)
    assert (document["attempt_id"], document["source_id"]) == ("u-d1-a1", "S 1")
    assert (document["feature"], document["parameter"], document["instrument"]) == (FEATURES, {}, "F1")


def test_all_that_a_request_may_hold_can_be_named() -> None:
    known = replace(FACTS, parameters={"T": "K"}).names_in_request
    assert set(request_document(request(), "F1", FEATURES)) <= set(known)
    assert (known["feature"], known["parameter"]) == (("temperature", "hold time"), ("T",))


def test_all_that_a_receipt_may_hold_can_be_named() -> None:
    receipt = ResultReceipt(
        campaign="demo", message_id="r1", sent_at=NOW, attempt_id="a1", simulator="furnace",
        status=ReceiptStatus.REFUSED, detail="too hot",
    )  # fmt: skip
    document = receipt_document(receipt, "F1")
    assert (document["status"], document["detail"], document["instrument"]) == ("refused", "too hot", "F1")
    assert set(document) <= set(FACTS.names_in_receipt)
