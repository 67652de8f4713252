"""The text of a structure is read or refused with its reason, whatever stands in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.structures.formats import CIF, MAX_TEXT, OWN_JSON
from protocols.structures.parse import one_by_one, read_structure
from protocols.structures.reading import ReadStructure, StructureSettings, UnreadStructure
from protocols.wire.limits import MAX_ATOMS
from tests.support.samples.cif_texts import ROCK_SALT, cif_text

SETTINGS = StructureSettings()
COPPER = {"cell": [[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0]], "symbols": ["Cu"], "scaled_positions": [[-0.25, 0, 1.5]]}


def read(text: str, settings: StructureSettings = SETTINGS) -> ReadStructure:
    """Read what can be read."""
    found = read_structure(text, settings)
    assert isinstance(found, ReadStructure), found
    return found


def refused(text: str, settings: StructureSettings = SETTINGS) -> UnreadStructure:
    """Return why a text is refused."""
    found = read_structure(text, settings)
    assert isinstance(found, UnreadStructure)
    return found


def test_a_structure_is_read_with_all_that_is_asked_of_it() -> None:
    found = read(cif_text(ROCK_SALT))
    assert (found.format, found.formula, found.crystal_system, found.converted) == (CIF, "NaCl", "cubic", ())
    assert (len(found.content), len(found.crystal.symbols)) == (32, 8)
    assert read(cif_text(ROCK_SALT), StructureSettings(with_symmetry=False)).crystal_system == ""


def test_coordinates_outside_of_the_cell_are_wrapped_into_it() -> None:
    assert read(cif_text(sites="Na1 Na -0.25 1.5 0 1")).crystal.scaled_positions == ((0.75, 0.5, 0.0),)
    assert read(cif_text(sites="Na1 Na -1e-12 0 0 1")).crystal.scaled_positions == ((0.0, 0.0, 0.0),)


def test_our_own_json_is_taken_to_the_letter() -> None:
    found = read(json.dumps(COPPER))
    assert (found.format, found.crystal.scaled_positions) == (OWN_JSON, ((-0.25, 0.0, 1.5),))


@pytest.mark.parametrize(
    "text", ["\ufeff" + cif_text(ROCK_SALT), cif_text(ROCK_SALT).replace("\n", "\r\n"), "\n\n" + cif_text(ROCK_SALT)]
)
def test_marks_and_ends_of_lines_make_no_difference(text: str) -> None:
    assert read(text) == read(cif_text(ROCK_SALT))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the format is not told"),
        ("/etc/passwd", "the format is not told"),
        ("x" * (MAX_TEXT + 1), "is too long"),
        (json.dumps(COPPER | {"symbols": ["D"]}), "holds heavy hydrogen"),
        (json.dumps(COPPER | {"symbols": ["Xx"]}), "an atom is no element"),
        (json.dumps(COPPER | {"more": 1}), "the JSON is no crystal"),
        (json.dumps(COPPER | {"symbols": ["Cu"] * (MAX_ATOMS + 1)}), "the JSON is no crystal"),
        (json.dumps({"lattice": {"matrix": COPPER["cell"]}, "sites": [{"species": [7]}]}), "cannot be read"),
        (
            cif_text("_symmetry_space_group_name_H-M 'P 1'\n", "Cu1 Cu 0 0 0 1\nCu2 Cu 0.001 0 0 1"),
            "atoms are too close",
        ),
        (
            cif_text(ROCK_SALT, "\n".join(f"H{i} H 0.{i:03} 0.1 0.2 1" for i in range(9, 19)), lengths=(90,) * 3),
            "has too many atoms",
        ),
    ],
)
def test_what_cannot_be_used_is_an_outcome_with_its_reason(text: str, reason: str) -> None:
    assert refused(text).reason == reason


def test_a_structure_without_a_crystal_system_is_refused() -> None:
    found = refused(cif_text(ROCK_SALT), StructureSettings(symmetry_tolerance=5.0))
    assert (found.reason, "symmetry_tolerance" in found.expected) == ("the crystal system cannot be found", True)


def test_one_outcome_a_text_in_their_order() -> None:
    first, second, third = one_by_one(["", cif_text(ROCK_SALT), "words"], SETTINGS)
    assert [type(each) for each in (first, second, third)] == [UnreadStructure, ReadStructure, UnreadStructure]


@given(st.data())
def test_a_text_that_is_cut_or_changed_never_raises(data: st.DataObject) -> None:
    text = data.draw(
        st.sampled_from([cif_text(ROCK_SALT), json.dumps(COPPER), "x\n1\n3 0 0\n0 3 0\n0 0 3\nCu\n1\nD\n0 0 0\n"])
    )
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 20))
    changed = text[:at] + data.draw(st.text(max_size=8)) + text[at + cut :]
    found = read_structure(changed, StructureSettings(with_symmetry=False))
    assert isinstance(found, ReadStructure | UnreadStructure)
