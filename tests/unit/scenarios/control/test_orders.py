"""What an operator types becomes orders, or is refused with what was expected."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from protocols.wire.messages import ControlAction, Quantity
from scenarios.control.orders import ACTIONS, Order, Terms, Wanted, candidate_named, typed_order, wanted_by
from scenarios.control.verbs import VERBS

TERMS = Terms("energy", "eV", {"gap": "meV"})


def typed(verb: str, *words: str, **options: object) -> Order:
    return typed_order(Wanted(verb, words, **options), lambda: TERMS)  # type: ignore[arg-type]


def test_every_verb_asks_for_something_and_says_what_follows_it() -> None:
    assert set(ACTIONS) == set(VERBS)
    assert set(ACTIONS.values()) == set(ControlAction) - {ControlAction.ADD_OBSERVATIONS}


@pytest.mark.parametrize(
    ("verb", "words", "fields"),
    [
        ("pause", (), {}),
        ("exclude", ("m001",), {"candidate_id": "m001"}),
        ("retract", ("MP 10/α",), {"source_id": "MP 10/α"}),
        ("approve", ("17",), {"decision": 17}),
        ("veto", ("0",), {"decision": 0}),
        ("set-budget", ("200",), {"budget": 200}),
        (
            "amend",
            ("m001", "-0.5"),
            {"candidate_id": "m001", "quantity": Quantity(name="energy", value=-0.5, unit="eV")},
        ),
    ],
)
def test_words_become_the_members_of_a_message(verb: str, words: tuple[str, ...], fields: dict[str, object]) -> None:
    order = typed(verb, *words)
    assert (order.action, dict(order.fields)) == (ACTIONS[verb], fields)


def test_a_value_has_the_unit_of_its_property_unless_another_is_named() -> None:
    assert typed("amend", "m001", "2", property_name="gap").fields["quantity"].unit == "meV"
    assert typed("amend", "m001", "2", unit="J", standard_deviation=0.1).fields["quantity"] == Quantity(
        name="energy", value=2.0, unit="J", standard_deviation=0.1
    )
    with pytest.raises(SettingsError, match="did you mean 'gap'"):
        typed("amend", "m001", "2", property_name="gpa")


def test_values_of_other_properties_stand_beside_the_first() -> None:
    order = typed("add-result", "m001", "1e-3", "gap=12")
    assert order.fields["quantity"].value == 0.001
    assert order.fields["additional"] == (Quantity(name="gap", value=12.0, unit="meV"),)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("pause", ("now",)),
        ("exclude", ()),
        ("exclude", ("a", "b")),
        ("amend", ("m001",)),
        ("amend", ("m001", "nan")),
        ("amend", ("m001", "1e300")),
        ("approve", ("-1",)),
        ("approve", ("9" * 30,)),
        ("set-budget", ("many",)),
        ("add-result", ("m001", "1", "gap")),
        ("add-result", ("m001", "1", "gap=wide")),
        ("exclude", ("two\nlines",)),
    ],
)
def test_what_cannot_be_meant_is_refused(verb: str, words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError):
        typed(verb, *words)


def test_an_unknown_verb_is_refused_with_the_nearest_one() -> None:
    assert wanted_by(["pause", "x"]) == ("pause", ("x",))
    with pytest.raises(SettingsError, match="did you mean 'retract'"):
        wanted_by(["retrakt", "m001"])
    with pytest.raises(SettingsError, match="Nothing is asked for"):
        wanted_by([])


def test_one_word_after_add_is_a_table_and_pairs_are_a_row() -> None:
    assert Wanted("add-result", ("old.csv",)).table == "old.csv"
    assert Wanted("add-result", ("m001", "2")).table is None
    assert Wanted("add-candidate", ("new.csv",)).table == "new.csv"
    row = Wanted("add-candidate", ("id=x", "smiles=C=O"))
    assert (row.table, row.row) == (None, {"id": "x", "smiles": "C=O"})
    for words in (("id=x", "id=y"), ("x", "y"), ("=1",)):
        with pytest.raises(SettingsError):
            _ = Wanted("add-candidate", words).row


def test_a_candidate_is_named_by_our_id_where_it_can_be_one() -> None:
    assert candidate_named("mp-10") == {"candidate_id": "mp-10"}
    assert candidate_named("mp 10") == {"source_id": "mp 10"}
    with pytest.raises(SettingsError):
        candidate_named("x" * 600)
