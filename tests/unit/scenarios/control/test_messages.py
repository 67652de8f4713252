"""A table becomes as few messages as fit, each with an id of what it says."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from protocols.wire.codec import encode
from protocols.wire.limits import MAX_ADDED_RESULTS, MAX_NEW_CANDIDATES, MAX_PAYLOAD_BYTES
from protocols.wire.messages import AddedCandidate, AddedResult, Control, Quantity
from protocols.wire.structure import CrystalStructure
from scenarios.control.messages import as_message, orders_of_candidates, orders_of_results
from scenarios.control.orders import Order
from tests.support.campaigns import NOW


def results(count: int, name: str = "m") -> list[AddedResult]:
    return [
        AddedResult(source_id=f"{name}{number}", quantity=Quantity(name="energy", value=0.5, unit="eV"))
        for number in range(count)
    ]


def candidates(count: int, features: int) -> list[AddedCandidate]:
    return [
        AddedCandidate(candidate_id=f"n{number}", family="cubic", features=(1 / 3,) * features)
        for number in range(count)
    ]


def message(order: Order, *, message_id: str = "once", is_one_of: bool = True) -> Control:
    return as_message(
        order, campaign="lab", operator="ann", reason="\u0001" * 500, message_id=message_id, sent_at=NOW,
        is_one_of=is_one_of,
    )  # fmt: skip


def places(count: int) -> list[str]:
    return [f"line {number + 2}" for number in range(count)]


def test_values_fill_messages_up_to_their_bound_and_none_is_lost() -> None:
    wanted = results(2 * MAX_ADDED_RESULTS + 1)
    orders = orders_of_results(wanted, places(len(wanted)))
    assert [len(each.fields["quantities"]) for each in orders] == [MAX_ADDED_RESULTS, MAX_ADDED_RESULTS, 1]
    assert [one for each in orders for one in each.fields["quantities"]] == wanted
    assert [each.about for each in orders] == [
        "200 values (line 2 to line 201)", "200 values (line 202 to line 401)", "1 value (line 402)",
    ]  # fmt: skip


def test_long_names_make_more_messages_and_each_fits() -> None:
    wanted = results(MAX_ADDED_RESULTS, "ä" * 450)
    orders = orders_of_results(wanted, places(len(wanted)))
    assert len(orders) > 1
    assert all(len(encode(message(each))) <= MAX_PAYLOAD_BYTES for each in orders)


def test_new_candidates_fill_messages_by_number_and_by_size() -> None:
    few = orders_of_candidates(candidates(MAX_NEW_CANDIDATES + 1, 2), places(MAX_NEW_CANDIDATES + 1))
    assert [len(each.fields["candidates"]) for each in few] == [MAX_NEW_CANDIDATES, 1]
    wide = orders_of_candidates(candidates(10, 1500), places(10))
    assert (len(wide) > 1, sum(len(each.fields["candidates"]) for each in wide)) == (True, 10)
    assert all(len(encode(message(each))) <= MAX_PAYLOAD_BYTES for each in wide)


def test_one_that_fits_no_message_is_refused_with_its_place() -> None:
    (wide,) = candidates(1, 2000)
    atoms = CrystalStructure(
        cell=((9.0, 0.0, 0.0), (0.0, 9.0, 0.0), (0.0, 0.0, 9.0)),
        symbols=("Cu",) * 500,
        scaled_positions=tuple((number / 501, 1 / 3, 2 / 3) for number in range(500)),
    )
    large = wide.model_copy(update={"structure": atoms})
    with pytest.raises(SettingsError, match="What stands in line 3 takes"):
        orders_of_candidates([wide, large], places(2))


def test_the_id_of_a_part_follows_from_what_it_says_and_from_the_command() -> None:
    one, other = (orders_of_results(results(2, name), places(2))[0] for name in "ab")
    ids = {message(one).message_id, message(other).message_id, message(one, message_id="twice").message_id}
    assert len(ids) == 3
    assert message(one).message_id == message(one).message_id
    assert message(one, is_one_of=False).message_id == "once"
