"""Settings that are sound by themselves and do not go together are refused: loops, repeats, too many requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from protocols.mapping.facts import CampaignFacts
from protocols.mapping.soundness import MAX_HELD
from tests.support.mapping.samples import FACTS, problems, require_told

SAID: list[tuple[dict[str, Any], str, str, str]] = [
    ({"request__retain": True}, "request.retain", "again whenever it connects", "lab.repeat.safe"),
    ({"repeat": {"times": 2}}, "repeat.times", "carried out twice", "safe = true"),
    ({"repeat": {"times": 2, "safe": True, "after_s": 600}}, "repeat.after_s", "never repeated", "shorter"),
    ({"result__topic": "lab/{instrument}/run"}, "request.topic", "we would hear ourselves", "topics of their own"),
    ({"failure": {"topic": "lab/{instrument}/done", "id": "job"}}, "result.topic", "nobody can tell one", "set when"),
    ({"instruments": {"a": "A", "b": "B"}, "request__topic": "lab/run"}, "request.topic", "each of 2", "instrument"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "key", "words", "action"), SAID, ids=[f"{each[1]}: {each[2]}" for each in SAID])
def test_what_is_wrong_is_told_at_its_key_with_a_way_out(
    changes: dict[str, Any], key: str, words: str, action: str
) -> None:
    require_told(changes, key, words, action)


def test_the_only_open_request_must_be_one() -> None:
    only = {"result__correlate_by": "only", "result__id": None}
    found = problems(replace(FACTS, parallel=2), **only)
    assert "campaign.parallel is 2" in found["result.correlate_by"].found
    assert problems(FACTS, **only) == {}
    scalars: dict[str, Any] = {"scalars": {"t": {"topic": "pv/{instrument}/t"}}}
    assert "campaign.parallel is 2" in problems(replace(FACTS, parallel=2), **scalars)["scalars"].found
    assert problems(FACTS, **scalars) == {}


def test_more_messages_than_brokers_leave_unacknowledged_may_not_wait_for_their_results() -> None:
    few = {f"p{number}": {"topic": f"pv/{{instrument}}/{number}"} for number in range(MAX_HELD)}
    assert "scalars" not in problems(with_properties(few), scalars=few)
    many = few | {"more": {"topic": "pv/{instrument}/more"}}
    assert "leave no more than" in problems(with_properties(many), scalars=many)["scalars"].found


def with_properties(scalars: dict[str, Any]) -> CampaignFacts:
    return replace(FACTS, units={**FACTS.units, **dict.fromkeys(scalars, "K")})
