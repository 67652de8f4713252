"""The agent's log: a line of JSON per fact, with the campaign, the step and the attempt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.campaign.life_cycle import Phase
from agent.entropy.bias import BiasMeter
from agent.runtime import log as logs
from agent.runtime.log import TransactionLog, WaitingLog, log_bands, open_log
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.transaction import DeadlinePassed, Transaction
from agent.store.commit import QuarantinedMessage
from protocols.wire.messages import ControlAction
from tests.support.campaigns import PROPERTY, control, failure_of, quantity, result_of, small_plan, small_pool
from tests.support.stored_campaigns import Shelf, delivered, opened
from tests.support.user_policies import Growing

POOL = small_pool(24)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = opened(tmp_path / "campaign.db", POOL)
    yield Shelf(store, POOL, small_plan(POOL, budget=6, parallel=2, max_attempts=2))
    store.close()


def logged(path: Path, *transactions: Transaction) -> list[dict[str, Any]]:
    logger, file = open_log(path)
    log = TransactionLog(logger.bind(campaign="demo"))
    for transaction in transactions:
        log(transaction)
    file.close()
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_fact_of_a_step_is_a_line_with_campaign_time_level_and_attempt(shelf: Shelf, tmp_path: Path) -> None:
    attempt = shelf.awaited[0]
    transaction = shelf.transaction(delivered(result_of(attempt)))
    lines = logged(tmp_path / "agent.jsonl", transaction)
    assert [line["event"] for line in lines] == ["result", "bias_trajectory", "decision", "request"]
    assert all(line["campaign"] == "demo" and line["level"] == "info" and line["timestamp"] for line in lines)
    result, bias, decision, request = lines
    assert (result["attempt_id"], result["candidate_id"]) == (attempt.attempt_id, attempt.candidate_id)
    assert not {"quantities", "provenance"} & set(result)
    assert decision["decision"] == 2
    assert decision["why"].startswith("drawn at random")
    assert request["attempt_id"] == shelf.awaited[-1].attempt_id
    point = shelf.maker.ledger.meter.point()
    keys = {"decision": attempt.decision, "attempt_id": attempt.attempt_id, "observation": 1}
    assert all(line | keys == line for line in (result, bias))
    assert (request["decision"], request.get("observation")) == (2, None)
    assert bias["size"] == dict(zip(point.families, point.sizes, strict=True))
    assert list(bias["entropy"]) == list(POOL.families)
    assert (bias["evenness"], bias["coverage"], bias["starved_family"]) == (None, point.coverage, point.starved_family)
    assert bias["joint_entropy"] == point.joint_entropy


def test_what_joins_the_pool_has_a_line_that_says_how_it_came_about(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "grown.db", POOL)) as store:
        plan = small_plan(POOL, policy="mine", grows_pool=True)
        shelf = Shelf(store, POOL, plan, InlinePolicyRunner(Growing()))
        lines = logged(tmp_path / "agent.jsonl", shelf.transaction(delivered(result_of(shelf.awaited[0]))))
    assert [line["event"] for line in lines][2:] == ["decision", "candidate_added", "candidate_added", "request"]
    decision, chosen, runner_up, request = lines[2:]
    assert "added" not in decision
    assert (chosen["candidate_id"], runner_up["candidate_id"]) == (request["candidate_id"], decision["runner_up"])
    assert chosen["decision"] == decision["decision"] == 1
    assert chosen["origin"] == f"a step from {chosen['parent']}"


def test_the_bands_of_the_entropies_are_a_line_of_their_own(tmp_path: Path) -> None:
    meter = BiasMeter(("a", "b"), np.repeat([0, 1], [9, 2]), np.arange(11.0) ** 2)
    logger, file = open_log(tmp_path / "agent.jsonl")
    log_bands(logger, 7, meter)
    file.close()
    (line,) = (json.loads(line) for line in (tmp_path / "agent.jsonl").read_text().splitlines())
    assert (line["event"], line["observation"], line["band"]["b"]) == ("entropy_bands", 7, None)
    assert tuple(line["band"]["a"]) == meter.bands()[0]


def test_trouble_is_a_warning(shelf: Shelf, tmp_path: Path) -> None:
    first, second = shelf.awaited
    transactions = [
        shelf.transaction(delivered(failure_of(first)), DeadlinePassed(second.attempt_id)),
        shelf.transaction(DeadlinePassed(shelf.awaited[0].attempt_id)),
        shelf.transaction(delivered(control(ControlAction.PAUSE, reason="cleaning"))),
        shelf.transaction(delivered(control(ControlAction.EXCLUDE_CANDIDATE, second.candidate_id))),
        shelf.transaction(delivered(result_of(second))),
        shelf.transaction(delivered(result_of(second, quantity(9.0)))),
        shelf.transaction(delivered(topic="somebody/else" * 100, payload=b"\x00")),
    ]
    warnings = [line for line in logged(tmp_path / "agent.jsonl", *transactions) if line["level"] == "warning"]
    assert [line["event"] for line in warnings] == [
        "attempt_failed", "request_expired", "request_expired", "candidate_abandoned", "campaign_paused",
        "late_result", "result_contradicted", "message_quarantined",
    ]  # fmt: skip
    assert warnings[-2]["says"] == {PROPERTY: 9.0}
    assert (warnings[0]["why"], warnings[0]["detail"]) == ("crashed", "the lamp broke")
    assert warnings[4]["why"] == "cleaning"
    assert len(warnings[-1]["topic"]) == 200


def test_every_event_of_a_whole_campaign_can_be_logged(shelf: Shelf, tmp_path: Path) -> None:
    transactions = []
    while shelf.campaign.phase is not Phase.FINISHED:
        transactions.append(shelf.transaction(delivered(result_of(shelf.awaited[0]))))
    lines = logged(tmp_path / "agent.jsonl", *transactions)
    assert lines[-1]["event"] == "campaign_finished"
    assert sum(line["event"] == "bias_trajectory" for line in lines) == 6


def test_a_flood_of_strangers_does_not_flood_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_QUARANTINE_LINES", 3)
    transaction = Transaction(quarantined=[QuarantinedMessage("t", b"", "not_json", "no")] * 2)
    assert len(logged(tmp_path / "agent.jsonl", transaction, transaction, transaction)) == 3


def test_a_log_is_continued_and_an_exception_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "agent.jsonl"
    for _ in range(2):
        logger, file = open_log(path)
        try:
            raise ValueError("two\nlines\ud800")  # noqa: TRY301
        except ValueError:
            logger.exception("agent_failed")
        file.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["agent_failed"] * 2
    assert "ValueError: two" in lines[0]["exception"]


def test_who_is_waited_for_is_a_line_whenever_it_changes_and_no_more_lines_than_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_WAITING_LINES", 3)
    logger, file = open_log(tmp_path / "agent.jsonl")
    log = WaitingLog(logger)
    for recipients in (("a", "b"), ("b",), (), ("a",), ()):
        log(recipients)
    file.close()
    lines = [json.loads(line) for line in (tmp_path / "agent.jsonl").read_text().splitlines()]
    assert [(line["event"], line["level"], line.get("instruments")) for line in lines] == [
        ("waiting_for_instruments", "warning", ["a", "b"]),
        ("waiting_for_instruments", "warning", ["b"]),
        ("instruments_are_there", "info", None),
    ]


def test_the_end_of_the_journal_is_logged_now_and_then(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "HEAD_EVERY_ROWS", 6)
    logger, file = open_log(tmp_path / "agent.jsonl")
    log = TransactionLog(logger, lambda: shelf.store.head)
    heads = []
    while shelf.campaign.phase is not Phase.FINISHED:
        before = shelf.store.sequence
        log(shelf.transaction(delivered(result_of(shelf.awaited[0]))))
        heads.append((shelf.store.sequence - before, shelf.store.sequence, shelf.store.digest))
    file.close()
    lines = [json.loads(line) for line in (tmp_path / "agent.jsonl").read_text().splitlines()]
    told = [(line["row"], line["digest"]) for line in lines if line["event"] == "journal_head"]
    assert 1 <= len(told) < len(heads)
    assert set(told) <= {(row, digest) for _, row, digest in heads}
