"""A scenario that is written from a table loads and makes its pool; where it cannot, nothing stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from protocols.errors import StoreError, TableError
from scenarios.init.table_columns import Said, assume_columns
from scenarios.init.table_scenario import write_table_scenario
from scenarios.settings.library import LIBRARY
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world

RNG = np.random.default_rng(5)


def table(folder: Path, **changes: object) -> Path:
    columns = {"kind": ["a", "b"] * 20, "x": RNG.normal(size=40), "hardness": RNG.normal(size=40)} | changes
    path = folder / "my table.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_it_loads_and_makes_the_pool(tmp_path: Path) -> None:
    written = write_table_scenario(assume_columns(table(tmp_path), Said(unit="GPa")))
    settings = load_scenario(str(written.path), Overrides(), {}).settings
    assert (written.path.name, settings.name, settings.campaign.budget) == ("my table.toml", "my_table", 32)
    assert len(build_world(settings).pool) == written.candidates == 40
    assert len(build_world(settings).start) == 8


def test_the_table_of_the_library_is_understood(tmp_path: Path) -> None:
    written = write_table_scenario(assume_columns(LIBRARY / "emt_sample.csv", Said()), tmp_path / "mine.toml")
    assert (written.assumed.property, written.assumed.family) == ("formation_energy_per_atom", "crystal_system")
    assert (written.assumed.composition, written.candidates) == ("formula", 420)


def test_values_that_are_not_known_are_asked_for(tmp_path: Path) -> None:
    gaps = np.where(np.arange(40) < 10, RNG.normal(size=40), np.nan)
    written = write_table_scenario(assume_columns(table(tmp_path, hardness=gaps), Said()))
    world = build_world(load_scenario(str(written.path), Overrides(), {}).settings)
    assert (len(world.start), len(world.pool)) == (10, 40)
    assert 'on_missing = "unknown"' in written.path.read_text(encoding="utf-8")


def test_rows_of_one_candidate_are_averaged(tmp_path: Path) -> None:
    path = table(tmp_path, x=np.repeat(RNG.normal(size=20), 2), kind=["a"] * 20 + ["b"] * 20)
    written = write_table_scenario(assume_columns(path, Said()))
    assert written.candidates == 20
    assert 'on_replicates = "mean"' in written.path.read_text(encoding="utf-8")


def test_what_cannot_be_used_is_told_and_leaves_no_file(tmp_path: Path) -> None:
    path = table(tmp_path, hardness=RNG.normal(size=40) * 1e18)
    with pytest.raises(TableError, match="cannot be used as it was understood"):
        write_table_scenario(assume_columns(path, Said()))
    assert [each.name for each in tmp_path.iterdir()] == ["my table.csv"]


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("kept", encoding="utf-8")
    with pytest.raises(StoreError, match="is there already"):
        write_table_scenario(assume_columns(table(tmp_path), Said()), tmp_path / "mine.toml")
    assert (tmp_path / "mine.toml").read_text(encoding="utf-8") == "kept"


def test_unmeasured_rows_stay_candidates_of_a_table_with_holes(tmp_path: Path) -> None:
    gaps = np.where(np.arange(40) < 10, RNG.normal(size=40), np.nan)
    kinds = [None, *["a", "b"] * 19, None]
    written = write_table_scenario(assume_columns(table(tmp_path, hardness=gaps, kind=kinds), Said()))
    world = build_world(load_scenario(str(written.path), Overrides(), {}).settings)
    assert (len(world.start), len(world.pool), written.candidates) == (9, 38, 38)
    assert 'on_missing = "unknown_or_drop"' in written.path.read_text(encoding="utf-8")
    assert [each.count for each in written.account] == [2]


def test_an_id_that_stands_twice_is_one_candidate(tmp_path: Path) -> None:
    columns = pd.read_csv(table(tmp_path)).assign(sample=[f"s{n}" for n in range(40)])
    again = columns.iloc[[3]].assign(hardness=9.0)
    pd.concat([columns, again]).to_csv(tmp_path / "twice.csv", index=False)
    written = write_table_scenario(assume_columns(tmp_path / "twice.csv", Said()))
    assert (written.assumed.id, written.candidates) == ("sample", 40)
    assert [each.handling for each in written.account] == ["merged"]


def test_families_that_are_likely_one_are_proposed_and_the_proposal_can_be_taken(tmp_path: Path) -> None:
    path = table(tmp_path, kind=["Garnet", "Spinel"] * 15 + ["garnet"] * 8 + ["Spinell"] * 2)
    written = write_table_scenario(assume_columns(path, Said()))
    text = written.path.read_text(encoding="utf-8")
    assert '# "garnet" = "Garnet"\n# "Spinell" = "Spinel"\n' in text
    lines = [
        line.removeprefix("# ") if "family_names]" in line or '" = "' in line else line for line in text.split("\n")
    ]
    written.path.write_text("\n".join(lines), encoding="utf-8")
    world = build_world(load_scenario(str(written.path), Overrides(), {}).settings)
    assert set(world.pool.families) == {"Garnet", "Spinel"}


def test_what_a_lab_sets_can_be_sent_by_taking_a_mark_away(tmp_path: Path) -> None:
    gaps = np.where(np.arange(40) < 10, RNG.normal(size=40), np.nan)
    columns = pd.read_csv(table(tmp_path, hardness=gaps)).rename(columns={"x": "temperature [K]"})
    columns.to_csv(tmp_path / "lab.csv", index=False)
    written = write_table_scenario(assume_columns(tmp_path / "lab.csv", Said()))
    text = written.path.read_text(encoding="utf-8")
    taken = text.replace("# [pool.columns.param", "[pool.columns.param").replace('# "temp', '"temp')
    written.path.write_text(taken, encoding="utf-8")
    settings = load_scenario(str(written.path), Overrides(), {}).settings
    assert settings.pool.columns is not None
    assert settings.pool.columns.parameters == {"temperature [K]": "K"}


def test_a_molecule_in_several_rows_leaves_the_molecules_out_and_says_so(tmp_path: Path) -> None:
    molecules = ["C" * (1 + n) for n in range(39)] + ["C"]
    path = table(tmp_path, smiles=molecules, sample=[f"s{n}" for n in range(40)])
    written = write_table_scenario(assume_columns(path, Said()))
    assert (written.assumed.smiles, written.candidates) == (None, 40)
    assert "a molecule stands in several rows" in written.path.read_text(encoding="utf-8")


def test_a_long_table_of_molecules_plays_its_lab_without_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.init.table_scenario.MOST_MOLECULES", 30)
    path = table(tmp_path, smiles=["C" * (1 + n) for n in range(40)])
    written = write_table_scenario(assume_columns(path, Said()))
    assert (written.assumed.smiles, written.candidates) == (None, 40)
    assert "reads them at every start" in written.path.read_text(encoding="utf-8")


def test_statistics_of_formulas_can_join_the_features_by_taking_a_mark_away(tmp_path: Path) -> None:
    path = table(tmp_path, formula=[f"Fe{n + 2}O{n + 3}" for n in range(40)])
    written = write_table_scenario(assume_columns(path, Said()))
    text = written.path.read_text(encoding="utf-8")
    width = len(build_world(load_scenario(str(written.path), Overrides(), {}).settings).pool.feature_names)
    written.path.write_text(text.replace("# composition_stat", "composition_stat"), encoding="utf-8")
    assert len(build_world(load_scenario(str(written.path), Overrides(), {}).settings).pool.feature_names) > width
