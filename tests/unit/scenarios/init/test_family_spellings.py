"""Families that are likely one under several names are found; those that are several are left alone."""

from __future__ import annotations

from scenarios.init.family_spellings import likely_meant


def test_capitals_blanks_and_slips_of_the_pen_are_found_and_the_frequent_name_is_meant() -> None:
    names = ["Perovskite"] * 30 + ["perovskite"] * 5 + ["Rock salt"] * 9 + ["rocksalt"] * 4 + ["Garnet"] * 20
    assert likely_meant([*names, "Garnett", "", " Garnet "]) == {
        "perovskite": "Perovskite", "rocksalt": "Rock salt", "Garnett": "Garnet",
    }  # fmt: skip


def test_families_of_their_own_are_left_alone() -> None:
    systems = ["cubic", "hexagonal", "trigonal", "triclinic", "tetragonal", "orthorhombic", "monoclinic"]
    assert likely_meant([name for place, name in enumerate(systems) for _ in range(1 + 9 * place)]) == {}
    assert likely_meant(["batch 12"] * 20 + ["batch 13"] * 2) == {}
    assert likely_meant(["glass"] * 10 + ["grass"] * 9) == {}, "a slip of the pen is rare"
