"""The derived layer: settings that take their value from other settings, where no layer of a person's sets them.

It lies above the defaults and below all else. A model says what follows from what by rules, each a function of what is
set so far; nothing is guessed back from the values afterwards, for every derived value has an origin of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.settings.fields import Key
from protocols.settings.origins import Origin, derived_origin
from protocols.settings.tree import UNSET, can_be_set, leaves, put, value_at


@dataclass(frozen=True, slots=True)
class Derivation:
    """A setting, or a table of settings, that follows from another one.

    Attributes:
        key: What follows.
        source: What it follows from.
        constant: Its value; by default that of the source.
        merges: Whether a table that is set in part takes the rest from the source.
    """

    key: Key
    source: Key
    constant: str | None = None
    merges: bool = False


Rule = Callable[[Mapping[str, Any]], Iterable[Derivation]]
"""Says what follows from the settings that are set so far, by layers and by the rules before it."""


def fill_in(merged: dict[str, Any], origins: dict[Key, Origin], rules: Sequence[Rule]) -> dict[Key, Key]:
    """Lay what follows under what is set.

    Args:
        merged: The settings of all layers; what follows is put into it.
        origins: Of the settings; those of what follows are put into it.
        rules: What follows from what, in this order.

    Returns:
        What no layer sets, and what it follows from, whether that is set or not.
    """
    follows: dict[Key, Key] = {}
    for rule in rules:
        for each in tuple(rule(merged)):
            value = value_at(merged, each.source) if each.constant is None else each.constant
            for key, source, found in _open(merged, each, value):
                follows[key] = source
                _put(merged, origins, key, source, found)
    return follows


def _open(merged: Mapping[str, Any], each: Derivation, value: Any) -> list[tuple[Key, Key, Any]]:
    """Return what a derivation may set, with its source and the value there."""
    if can_be_set(merged, each.key):
        return [(each.key, each.source, value)]
    there = value_at(merged, each.key)
    if not (each.merges and isinstance(there, Mapping) and isinstance(value, Mapping)):
        return []
    inside = [(Derivation((*each.key, name), (*each.source, name), merges=True), value[name]) for name in value]
    return [found for inner, below in inside for found in _open(merged, inner, below)]


def _put(merged: dict[str, Any], origins: dict[Key, Origin], key: Key, source: Key, value: Any) -> None:
    if value is UNSET or value is None:
        return
    for below, leaf in leaves(value):
        put(merged, (*key, *below), {} if isinstance(leaf, Mapping) else leaf)
        if not isinstance(leaf, Mapping):
            origins[*key, *below] = derived_origin((*source, *below))
