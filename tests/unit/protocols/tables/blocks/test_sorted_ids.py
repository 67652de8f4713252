"""Ids in an array of bytes are found by bisection, and read as texts."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from protocols.tables.blocks import sorted_ids
from protocols.tables.blocks.sorted_ids import IdsWithAdded, OfId, PlaceOfId, SortedIds

NAMES = ("a", "a-1", "a-10", "b", "c9")
IDS = SortedIds(np.array([each.encode() for each in NAMES]))


def test_they_are_a_sequence_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_ids, "IDS_AT_ONCE", 2)
    assert tuple(IDS) == NAMES
    assert len(IDS) == 5
    assert IDS[2] == "a-10"
    assert IDS[-1] == "c9"
    assert IDS[1:3] == ("a-1", "a-10")
    assert list(pickle.loads(pickle.dumps(IDS))) == list(NAMES)
    with pytest.raises(IndexError):
        IDS[5]


def test_each_is_found_and_nothing_else() -> None:
    place = PlaceOfId(IDS)
    assert dict(place) == {name: index for index, name in enumerate(NAMES)}
    assert len(place) == 5
    for other in ("", "a-", "a-100", "zz", "é", "a\0", None, 3, "a-1-a-name-that-is-longer-than-all"):
        assert other not in IDS
        assert IDS.find(other) is None
    with pytest.raises(KeyError, match="zz"):
        place["zz"]


def test_each_has_its_family_or_itself() -> None:
    families = OfId(IDS, ("x", "y"), np.array([0, 1, 1, 0, 1]))
    assert dict(families) == {"a": "x", "a-1": "y", "a-10": "y", "b": "x", "c9": "y"}
    assert len(families) == 5
    assert OfId(IDS)["b"] == "b"
    assert "zz" not in families
    assert families.get("zz", "") == ""


def test_what_joins_comes_after_them() -> None:
    named = IdsWithAdded(IDS, ["n1", "n2"])
    assert list(named) == [*NAMES, "n1", "n2"]
    assert len(named) == 7
    assert named[3:6] == ("b", "c9", "n1")
