"""Which settings of the table a symbol or a number means."""

from __future__ import annotations

import pytest
from pymatgen.symmetry.groups import SYMM_DATA

from protocols.structures.cif.groups import (
    group_numbers,
    operations_of_setting,
    settings_of_hall,
    settings_of_number,
    settings_of_symbol,
)


def numbers(settings: frozenset[int]) -> set[int]:
    """Return the numbers of groups."""
    return {group_numbers()[setting] for setting in settings}


def test_every_symbol_that_pymatgen_knows_means_the_same_group() -> None:
    for symbol, said in SYMM_DATA["space_group_encoding"].items():
        assert numbers(settings_of_symbol(symbol)) == {said["int_number"]}, symbol


@pytest.mark.parametrize(
    ("symbol", "settings"),
    [
        ("P 21/c", {81}),
        ("P 1 21/n 1", {82}),
        ("P 21/n", {82}),
        ("P 1 1 21/a", {84}),
        ("F d -3 m", {525, 526}),
        ("F d -3 m :2", {526}),
        ("F d -3 m S", {525}),
        ("F d -3 m Z", {526}),
        ("R -3 m", {458, 459}),
        ("R -3 m HR", {458}),
        ("R -3 m R", {459}),
        ("F m 3 m", {523}),
        ("P_6_3_/m m c", {488}),
        ("C m c a", {304}),
        ("F m 3 m (origin shifted)", set()),
        ("P n m a :9", set()),
        ("P n m a Z", set()),
        ("nonsense", set()),
    ],
)
def test_a_symbol_means_its_settings(symbol: str, settings: set[int]) -> None:
    assert settings_of_symbol(symbol) == settings


def test_numbers_and_hall_symbols_mean_their_settings() -> None:
    assert settings_of_number(" 225 ") == {523}
    assert numbers(settings_of_number("14")) == {14}
    assert settings_of_number("231") == settings_of_number("x") == frozenset()
    assert numbers(settings_of_hall("P 32")) == {145}
    assert numbers(settings_of_hall("P 3 2")) == {149}
    assert settings_of_hall("-R_3_2''") == {458}
    assert settings_of_hall("Q 1") == frozenset()


def test_a_setting_has_its_operations() -> None:
    rotations, translations = operations_of_setting(523)
    assert (rotations.shape, translations.shape) == ((192, 3, 3), (192, 3))
