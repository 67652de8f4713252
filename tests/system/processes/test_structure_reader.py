"""Structures are read in processes that use the cores, that none can hold up, and only once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from protocols.concurrency import children
from protocols.concurrency.child import ChildDied
from protocols.storage.kept import KeptValues
from protocols.structures import reader as module
from protocols.structures.reader import StructureReader
from protocols.structures.reading import ReadStructure, StructureSettings, UnreadStructure
from tests.support import processes
from tests.support.structures.readers import DESCRIBE, NAME, read

pytestmark = pytest.mark.system

SETTINGS = StructureSettings(limit_s=60.0)
SHORT = StructureSettings(limit_s=0.3)
TEXTS = [f"fcc {length / 8}" for length in range(24, 34)]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))


@pytest.fixture
def kept(tmp_path: Path) -> KeptValues:
    return KeptValues(tmp_path / "kept.db")


def reader(kept: KeptValues, describe: str = DESCRIBE, **more: object) -> StructureReader:
    return StructureReader(describe=describe, read=NAME, kept=kept, **more)  # type: ignore[arg-type]


def test_every_text_has_its_outcome_and_every_crystal_its_features(kept: KeptValues) -> None:
    told: list[tuple[int, int]] = []
    texts = [*TEXTS, "no structure", TEXTS[3], "", "\ud800"]
    reads = reader(kept, progress=lambda done, total: told.append((done, total)))
    outcomes = reads(texts, SETTINGS)
    assert outcomes == [read(text, SETTINGS) for text in texts]
    assert told == [(done, len(set(texts))) for done in range(len(set(texts)) + 1)]
    for outcome in outcomes:
        if isinstance(outcome, ReadStructure):
            assert reads.features[outcome.crystal].tolist() == [outcome.crystal.cell[0][0], 0.01, -1.0]


def test_what_was_read_is_not_read_again(kept: KeptValues) -> None:
    first, again = reader(kept), reader(kept)
    outcomes = first([*TEXTS, "bad"], SETTINGS)
    starts = processes.starts()
    assert again(["bad", *reversed(TEXTS)], SETTINGS) == list(reversed(outcomes))
    assert processes.starts() == starts
    assert {crystal: row.tolist() for crystal, row in again.features.items()} == {
        crystal: row.tolist() for crystal, row in first.features.items()
    }


@pytest.mark.parametrize(
    "other",
    [
        replace(SETTINGS, symmetry_tolerance=0.1),
        replace(SETTINGS, angle_tolerance=5.0),
        replace(SETTINGS, with_symmetry=False),
    ],
    ids=["distance", "angle", "no symmetry"],
)
def test_other_settings_are_another_question(kept: KeptValues, other: StructureSettings) -> None:
    reader(kept)(TEXTS[:1], SETTINGS)
    starts = processes.starts()
    assert reader(kept)(TEXTS[:1], other) == [read(TEXTS[0], other)]
    assert processes.starts() > starts


def test_who_wants_no_features_shares_what_was_read(kept: KeptValues) -> None:
    outcomes = reader(kept)(TEXTS, SETTINGS)
    starts = processes.starts()
    assert reader(kept, describe="")(TEXTS, replace(SETTINGS, limit_s=7.0)) == outcomes
    assert processes.starts() == starts


def test_features_are_made_where_only_the_structure_was_kept(kept: KeptValues) -> None:
    reader(kept, describe="")(TEXTS[:2], SETTINGS)
    described = reader(kept)
    described(TEXTS[:2], SETTINGS)
    assert len(described.features) == 2


def test_other_libraries_read_again(kept: KeptValues, monkeypatch: pytest.MonkeyPatch) -> None:
    reader(kept)(TEXTS[:1], SETTINGS)
    starts = processes.starts()
    monkeypatch.setattr(module, "version", lambda _package: "another one")
    module._question_digest.cache_clear()
    reader(kept)(TEXTS[:1], SETTINGS)
    module._question_digest.cache_clear()
    assert processes.starts() > starts


def test_other_code_is_another_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "reader_of_this_test.py"
    monkeypatch.syspath_prepend(tmp_path)
    digests = []
    for result in ("1", "1", "2"):
        code.write_text(f"def read(text, settings):\n    return {result}\n")
        module._code_digest.cache_clear()
        digests.append(module._code_digest(f"{code.stem}:read"))
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("order", ["compute", "wait"])
def test_a_structure_that_never_ends_is_told_and_the_others_are_read(
    kept: KeptValues, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "WALL_PER_CPU", 4.0)
    texts = [TEXTS[0], order, *TEXTS[1:]]
    outcomes = reader(kept)(texts, SHORT)
    unread = outcomes.pop(1)
    assert isinstance(unread, UnreadStructure)
    assert "structure_limit_s" in unread.reason
    assert "0.3 s" in unread.found
    assert outcomes == [read(text, SHORT) for text in TEXTS]


def test_what_took_too_long_is_tried_again(kept: KeptValues) -> None:
    reader(kept)(["compute"], SHORT)
    starts = processes.starts()
    reader(kept)(["compute"], SHORT)
    assert processes.starts() > starts


@pytest.mark.parametrize("order", ["die", "memory"])
def test_a_structure_that_ends_its_process_is_told_and_the_others_are_read(kept: KeptValues, order: str) -> None:
    texts = [TEXTS[0], order, TEXTS[1]]
    outcomes = reader(kept)(texts, SETTINGS)
    assert [type(each) for each in outcomes] == [ReadStructure, UnreadStructure, ReadStructure]
    assert "process" in outcomes[1].reason  # type: ignore[union-attr]


def test_many_structures_use_the_cores_and_few_use_one(kept: KeptValues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "usable_cores", lambda: 2)
    monkeypatch.setattr(module, "STRUCTURES_PER_CHILD", 50)
    few = reader(kept, describe="")([f"pid {number}" for number in range(20)], SETTINGS)
    many = reader(kept, describe="")([f"pid {number}" for number in range(100, 3000)], SETTINGS)
    assert len({each.formula for each in few if isinstance(each, ReadStructure)}) == 1
    pids = {each.formula for each in many if isinstance(each, ReadStructure)}
    assert len(pids) == 2
    assert str(os.getpid()) not in pids


def test_who_stops_half_way_leaves_no_process_and_keeps_what_was_read(kept: KeptValues) -> None:
    """`tests/conftest.py` looks for processes that are left."""

    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reader(kept, progress=stop)([*TEXTS, "wait"], SETTINGS)
    starts = processes.starts()
    assert len(reader(kept)(TEXTS[:4], SETTINGS)) == 4
    assert processes.starts() == starts


def test_a_reader_that_is_not_there_is_our_fault(kept: KeptValues) -> None:
    with pytest.raises(ChildDied, match="no_such_function"):
        StructureReader(read="tests.support.structures.readers:no_such_function", kept=kept)(["x"], SETTINGS)
