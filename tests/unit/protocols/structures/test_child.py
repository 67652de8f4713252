from __future__ import annotations

import json

import pytest

from protocols.structures.child import OUTCOME, answer_to, parts_of, question_of
from protocols.structures.reading import ReadStructure, StructureSettings, UnreadStructure
from tests.support.structures.readers import describe, read

SETTINGS = StructureSettings(0.02, 1.5)


def test_an_answer_holds_the_outcome_and_the_features_to_the_last_bit() -> None:
    outcome, row = parts_of(answer_to("fcc 3.6000000000000005", SETTINGS, read, describe))
    assert OUTCOME.validate_json(outcome) == read("fcc 3.6000000000000005", SETTINGS)
    assert json.loads(row) == [3.6000000000000005, 0.02, 1.5]


@pytest.mark.parametrize("text", ["anything", "", "\ud800 ü"])
def test_what_cannot_be_read_keeps_its_reason(text: str) -> None:
    assert question_of(text) not in {b"", text.encode(errors="surrogatepass")}
    outcome, row = parts_of(answer_to(text, SETTINGS, read, describe))
    assert (OUTCOME.validate_json(outcome), row) == (read(text, SETTINGS), b"")


def test_without_a_wish_for_features_there_are_none() -> None:
    assert parts_of(answer_to("fcc 3.6", SETTINGS, read, None))[1] == b""


def test_a_library_that_raises_has_not_read_the_structure() -> None:
    made = OUTCOME.validate_json(parts_of(answer_to("raise", SETTINGS, read, None))[0])
    assert isinstance(made, UnreadStructure)
    assert "the library ran in circles" in made.found


def test_want_of_memory_is_no_property_of_a_structure() -> None:
    with pytest.raises(MemoryError):
        answer_to("memory", SETTINGS, read, None)


def test_an_outcome_is_of_the_kind_that_it_was() -> None:
    made = read("fcc 4", SETTINGS)
    assert isinstance(OUTCOME.validate_json(OUTCOME.dump_json(made)), ReadStructure)
