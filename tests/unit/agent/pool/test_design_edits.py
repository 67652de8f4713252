"""Edits of designs: what was changed against the reference, whatever the sites are called."""

from __future__ import annotations

from agent.pool.design_edits import edits_to, levels_in_words
from agent.pool.designs import Designs, make_designs

GROUPS = ("H", "F", "NO2")
PLACES = ("meta", "para")


def ring() -> tuple[Designs, dict[tuple[str, str, str], int]]:
    """Two interchangeable sites and a place; one site empty makes the same molecule at both places."""
    names: list[str] = []
    made: dict[tuple[str, str, str], int] = {}
    for place in PLACES:
        for x in GROUPS:
            for y in GROUPS:
                one, other = sorted((x, y))
                name = "".join(sorted((x, y))) if "H" in {x, y} else f"{one}{other}{place}"
                if name not in names:
                    names.append(name)
                made[x, y, place] = names.index(name)
    columns = {
        "x": [key[0] for key in made],
        "y": [key[1] for key in made],
        "position": [key[2] for key in made],
    }
    return make_designs(columns, list(made.values()), names, queried="x"), made


DESIGNS, MADE = ring()


def test_an_edit_puts_a_level_in_place_of_the_reference_and_keeps_the_rest() -> None:
    edits = edits_to(DESIGNS, MADE["NO2", "F", "para"])
    assert {(edit.words, edit.kept_words) for edit in edits} == {
        ("x: H → NO2", "y = F, position = para"),
        ("x: H → F", "y = NO2, position = para"),
    }


def test_its_reference_is_the_candidate_of_the_design_without_it() -> None:
    for edit in edits_to(DESIGNS, MADE["NO2", "F", "para"]):
        kept = dict(edit.kept)
        assert edit.reference == MADE["H", kept["y"], kept["position"]]


def test_a_candidate_of_the_reference_level_alone_is_no_edit() -> None:
    assert edits_to(DESIGNS, MADE["H", "H", "para"]) == ()


def test_a_candidate_with_the_reference_at_one_of_two_sites_is_an_edit_at_the_other() -> None:
    words = {edit.words for edit in edits_to(DESIGNS, MADE["H", "NO2", "meta"])}
    assert words == {"x: H → NO2"}


def test_every_design_that_makes_a_candidate_is_told() -> None:
    assert levels_in_words(DESIGNS, MADE["NO2", "F", "para"]) == (
        "x = F, y = NO2, position = para",
        "x = NO2, y = F, position = para",
    )


def test_without_the_design_of_the_reference_there_is_no_edit() -> None:
    left = [key for key in MADE if key != ("H", "F", "para")]
    columns = {name: [key[place] for key in left] for place, name in enumerate(("x", "y", "position"))}
    numbers = [MADE[key] for key in left]
    designs = make_designs(columns, numbers, [f"m{n:02d}" for n in range(max(numbers) + 1)], queried="x", reference="H")
    words = {edit.words for edit in edits_to(designs, MADE["NO2", "F", "para"])}
    assert words == {"x: H → F"}
