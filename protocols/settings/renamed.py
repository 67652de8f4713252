"""Settings that had another name once: who still writes the old one is told the new one.

A table of names is data: the old name to the new one, both with dots. `*` stands for one segment that the user names
or counts, the same in both: `simulators.*.delay_s` to `simulators.*.latency.mean_s`.
"""

from __future__ import annotations

from collections.abc import Mapping

from protocols.settings.fields import Key

RenamedSettings = Mapping[str, str]
"""Old name to new name."""

ANY = "*"
"""Stands for one segment of a name."""


def new_name(renamed: RenamedSettings, key: Key) -> Key | None:
    """Return what the setting of a key is called now; None where its name is no old one."""
    for old, new in renamed.items():
        pattern = old.split(".")
        if _matches(pattern, key):
            named = iter(segment for wanted, segment in zip(pattern, key, strict=True) if wanted == ANY)
            return tuple(next(named) if segment == ANY else segment for segment in new.split("."))
    return None


def renamed_length(renamed: RenamedSettings, key: Key) -> int:
    """How many leading segments of the key are an old name; 0 when none are."""
    lengths = range(len(key), 0, -1)
    return next((length for length in lengths if new_name(renamed, key[:length]) is not None), 0)


def _matches(pattern: list[str], key: Key) -> bool:
    same = (wanted in {ANY, segment.lower()} for wanted, segment in zip(pattern, key, strict=False))
    return len(pattern) == len(key) and all(same)
