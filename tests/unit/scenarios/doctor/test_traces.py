"""What came of a kept message, and what a broker tells of itself, in words."""

from __future__ import annotations

import pytest

from scenarios.doctor.traces import judge_broker, judge_kept


@pytest.mark.parametrize(
    ("by_name", "by_pattern", "verdict"), [(True, True, "pass"), (True, False, "warn"), (False, False, "warn")]
)
def test_a_kept_message_must_come_to_who_subscribes_by_name_and_by_pattern(
    by_name: bool, by_pattern: bool, verdict: str
) -> None:
    check = judge_kept(by_name=by_name, by_pattern=by_pattern)
    assert check.verdict == verdict
    assert ("RabbitMQ" in check.found) is (by_name and not by_pattern)


def test_a_broker_tells_of_itself_or_nothing() -> None:
    assert judge_broker(["mosquitto version 2.0.11", "3 sessions"]).found == "mosquitto version 2.0.11; 3 sessions"
    assert judge_broker([]).found == "it tells nothing of itself"
