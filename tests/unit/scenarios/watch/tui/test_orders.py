"""Orders that cannot be sent are said not to be sent, with the reason, and raise nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.control.place import place_of_run
from scenarios.watch.tui.orders import WITHOUT_OBJECT, Order, _words_of, to_place
from tests.support.samples.recorded_run import made


@pytest.mark.parametrize("verb", ["pause", "approve"])
def test_where_no_agent_works_it_is_not_sent(tmp_path: Path, verb: str) -> None:
    folder = made(tmp_path).folder
    give = to_place(lambda: place_of_run(str(folder), tmp_path, "ann", None))
    answer = give(Order.now(verb, "" if verb in WITHOUT_OBJECT else "3", "why"))
    assert (answer.status, answer.action) == ("not_sent", verb)
    assert "agent" in answer.detail


def test_a_reason_that_no_message_can_carry_is_not_sent(tmp_path: Path) -> None:
    give = to_place(lambda: place_of_run(str(tmp_path), tmp_path, "ann", None))
    answer = give(Order.now("pause", "", "x" * 5_000))
    assert answer.status == "not_sent"
    assert "The reason has 5000 characters" in answer.detail


def test_an_order_about_a_decision_names_it_and_has_an_id_of_its_own() -> None:
    first, second = Order.now("veto", "12", ""), Order.now("veto", "12", "")
    assert _words_of(first) == ("12",)
    assert _words_of(Order.now("stop", "", "")) == ()
    assert first.message_id != second.message_id
    assert first.answered("sent").words == "veto 12"
