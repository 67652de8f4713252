"""Settings as nested tables: reading, writing and walking what stands below a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from protocols.settings.fields import Key

UNSET: Final = object()
"""What stands at a key that nothing sets."""


def value_at(tree: Any, key: Key) -> Any:
    """Return what stands at a key, entries of lists by their position; `UNSET` where nothing does."""
    for segment in key:
        if isinstance(tree, Mapping) and segment in tree:
            tree = tree[segment]
        elif isinstance(tree, list | tuple) and segment.isdigit() and int(segment) < len(tree):
            tree = tree[int(segment)]
        else:
            return UNSET
    return tree


def can_be_set(tree: Any, key: Key) -> bool:
    """Tell whether nothing stands at a key, and only tables around it."""
    for segment in key:
        if not isinstance(tree, Mapping):
            return False
        if segment not in tree:
            return True
        tree = tree[segment]
    return False


def put(tree: dict[str, Any], key: Key, value: Any) -> None:
    """Put a value into nested tables, merging a table into a table."""
    for segment in key[:-1]:
        below = tree.get(segment)
        if not isinstance(below, dict):
            below = tree[segment] = {}
        tree = below
    there = tree.get(key[-1])
    if isinstance(there, dict) and isinstance(value, Mapping):
        for name, inner in value.items():
            put(there, (name,), inner)
    else:
        tree[key[-1]] = value


def leaves(value: Any, above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Yield every value that is no table, and every empty table, with its key."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*above, name))
    else:
        yield above, value


def texts(tree: Any, above: Key = ()) -> Iterator[tuple[Key, str]]:
    """Yield every value as text with the key of its field: entries of lists have that of the list."""
    if isinstance(tree, Mapping):
        for name, inner in tree.items():
            yield from texts(inner, (*above, str(name)))
    elif isinstance(tree, list | tuple):
        for inner in tree:
            yield from texts(inner, above)
    elif tree not in ("", None):
        yield above, str(tree)
