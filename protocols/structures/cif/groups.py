"""The table of groups: which settings a symbol or a number may mean, and their operations.

The table is spglib's, of 530 settings (Hall, 1981; International Tables A, 1983): Togo, Shinohara and Tanaka (2024),
Sci. Technol. Adv. Mater. Meth. 4, 2384822. A symbol that several settings share (two origins, two axes) is not decided
here: all are returned.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from protocols.structures.cif.operations import Operations, ask_spglib

SETTINGS: Final = range(1, 531)
"""Numbers of the settings of the 230 groups in spglib's table."""

MONOCLINIC: Final = range(3, 16)
"""Numbers of the monoclinic groups, whose short symbol leaves the unique axis out; b is meant, which the table has
first."""

GLIDES_OF_CENTRING: Final = {"a": "bc", "b": "ac", "c": "ab"}
"""Centring of a lattice -> the axes of its `e` glide: those that span the centred face."""

_OLD_CUBIC: Final = re.compile(r"([pfi](?:[mndabc]|2_?1|4_?[123]|4_?2/[mn])?)3([mndc])?")
SUFFIXES: Final = {"s": "1", "z": "2", "h": "h", "hr": "h", "r": "r"}
"""How databases write the origin or the axes behind a symbol -> as the International Tables do."""

_CHOICE: Final = re.compile(r"(.*?)(?::\s*([12hr])|\s+([sz]|hr?|r))?$")


def settings_of_symbol(text: str) -> frozenset[int]:
    """Return the settings that a Hermann-Mauguin symbol may mean, none where it is unknown.

    Origin or axes may follow: `:1`, `:2`, `:H`, `:R`, and as databases write them ` S` (first origin), ` Z` (second),
    ` H`, ` HR` and ` R`. Cubic groups may be written as before 1983, `F m 3 m`.
    """
    match = _CHOICE.fullmatch(text.strip().lower())
    name, choice, suffix = match.groups() if match else (text, None, None)
    plain = _plain(name)
    if (old := _OLD_CUBIC.fullmatch(plain)) is not None and plain not in _settings():
        plain = f"{old[1]}-3{old[2] or ''}"
    wanted = choice or SUFFIXES.get(suffix or "")
    if not wanted:
        return _settings().get(plain, frozenset())
    chosen = _settings().get(f"{plain}:{wanted}", frozenset())
    return chosen or (_settings().get(_plain(text), frozenset()) if suffix else chosen)


def settings_of_hall(text: str) -> frozenset[int]:
    """Return the settings of a Hall symbol, none where it is unknown."""
    return _halls().get(_plain_hall(text), frozenset())


def settings_of_number(text: str) -> frozenset[int]:
    """Return the settings of a number of the International Tables, none where it is none."""
    return _settings_by_number().get(text.strip(), frozenset())


@functools.cache
def group_numbers() -> Mapping[int, int]:
    """Return the number of the group of each setting in the table."""
    return {setting: int(_kind(setting).number) for setting in SETTINGS}


@functools.cache
def _settings_by_number() -> Mapping[str, frozenset[int]]:
    """Return the settings of each number, as it is written."""
    known: dict[str, set[int]] = defaultdict(set)
    for setting, number in group_numbers().items():
        known[str(number)].add(setting)
    return {number: frozenset(settings) for number, settings in known.items()}


@functools.cache
def operations_of_setting(setting: int) -> Operations:
    """Return the operations of a setting in spglib's table."""
    symmetry = ask_spglib("get_symmetry_from_database", setting)
    return np.array(symmetry["rotations"], dtype=np.int64), np.array(symmetry["translations"], dtype=np.float64)


@functools.cache
def _kind(setting: int) -> Any:
    """Return what the table says of a setting."""
    return ask_spglib("get_spacegroup_type", setting)


@functools.cache
def _settings() -> Mapping[str, frozenset[int]]:
    """Return the settings that a symbol may mean, plain or with its choice as `fd-3m:2`."""
    known: dict[str, set[int]] = defaultdict(set)
    short: dict[str, int] = {}
    for setting in SETTINGS:
        kind = _kind(setting)
        symbol = kind.international.split("=")[-1]
        for name in {*_with_glides(_plain(symbol)), _plain(kind.international_full)}:
            known[name].add(setting)
            known[f"{name}:{kind.choice.lower()}"].add(setting)
        if kind.number in MONOCLINIC:
            short.setdefault(_plain(" ".join(part for part in symbol.split() if part != "1")), setting)
    return {name: frozenset({setting}) for name, setting in short.items()} | {
        name: frozenset(settings) for name, settings in known.items()
    }


@functools.cache
def _halls() -> Mapping[str, frozenset[int]]:
    """Return the setting of each Hall symbol; unlike other symbols, it needs its blanks."""
    return {_plain_hall(_kind(setting).hall_symbol): frozenset({setting}) for setting in SETTINGS}


def _plain_hall(symbol: str) -> str:
    return " ".join(symbol.replace("_", " ").replace("''", '"').lower().split())


def _with_glides(symbol: str) -> set[str]:
    """Return a plain symbol as it stands, and as before 1992, when an `e` glide was named for one of its two axes."""
    letters = GLIDES_OF_CENTRING.get(symbol[0], "")
    return {symbol, *(symbol.replace("e", letter) for letter in letters)}


def _plain(symbol: str) -> str:
    """Return a symbol without what writers do differently."""
    return re.sub(r"[\s_]", "", symbol).lower()
