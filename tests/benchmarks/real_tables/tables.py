"""The real tables as scenarios: where each lies, what its columns mean, and what its start set lacks.

Everything but emt_alloys lies beside the repository, in `../shared/data`; a table that is not there is told with
`FileNotFoundError`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from scenarios.settings import derived
from scenarios.settings.model import Scenario
from scenarios.settings.models import ModelName
from scenarios.sources.scenario import Overrides, load_scenario
from tests.benchmarks.published_tables import ELEMENTS

AS_PUBLISHED = {"tetragonal": "unstable", "trigonal": "unstable", "orthorhombic": "stable"}
WBM_ROWS = 5_000
"""Drawn of 256,614, so that ten seeds of a campaign take minutes."""

MODELS: tuple[ModelName, ...] = ("random_forest", "gradient_boosting", "kernel_ridge")
"""The paper's two, and one that follows the features smoothly."""

EVERY = 50
"""Acquisitions between two scores of a model."""


def scenario_of(path: Path, name: str, columns: dict[str, Any], halves: dict[str, str], **changes: Any) -> Scenario:
    columns = {"id": "id", "family": "family", "on_no_entropy": "warn"} | columns
    return derived.scenario_of(
        {
            "name": name,
            "pool": {"source": "table", "path": str(path), "columns": columns},
            "start": {"size": changes.pop("start", 300), "minimum_per_family": 4, "halves": halves, "threshold": 0.0},
            "campaign": {"budget": changes.pop("budget", 300), "parallel": 4},
            "evaluation": {"models": MODELS, "every": EVERY} | changes,
        }
    )


def written(frame: pd.DataFrame, out: Path, name: str) -> Path:
    path = out / f"{name}.csv"
    frame.to_csv(path, index=False)
    return path


def emt_alloys(data: Path, out: Path) -> Scenario:
    scenario = load_scenario("emt_alloys", Overrides({}, (), None)).settings
    evaluation = scenario.evaluation.model_copy(update={"models": MODELS, "every": EVERY})
    return scenario.model_copy(update={"evaluation": evaluation})


def oqmd8(data: Path, out: Path) -> Scenario:
    frame = pd.read_csv(data / "oqmd8" / "oqmd8.csv")
    frame["id"] = [f"r{row:05d}" for row in range(len(frame))]
    frame[list(ELEMENTS)] = frame[list(ELEMENTS)].div(frame[list(ELEMENTS)].sum(axis=1), axis=0)
    frame["volume_per_atom"] = frame["volume"] / frame["natoms"]
    frame = frame.rename(columns={"crystal_system": "family"})
    columns = {"property": "energy", "unit": "eV/atom", "features": [*ELEMENTS, "volume_per_atom", "natoms"]}
    return scenario_of(written(frame, out, "oqmd8"), "oqmd8", columns, AS_PUBLISHED)


def mp3dsc(data: Path, out: Path) -> Scenario:
    from agent.pool.features import composition_features

    frame = pd.read_csv(data / "mp3dsc" / "mp_3dsc_4704.csv").dropna(subset=["formation_energy_per_atom"])
    frame = frame.reset_index(drop=True).rename(columns={"material_id": "id", "crystal_system": "family"})
    made, names = composition_features(tuple(frame["formula"]))
    features = pd.DataFrame(made, columns=[f"x_{name}" for name in names])
    frame = pd.concat([frame, features], axis=1)
    frame["volume_per_atom"] = frame["volume"] / frame["nsites"]
    columns = {
        "property": "formation_energy_per_atom",
        "unit": "eV/atom",
        "features": ["x_*", "volume_per_atom", "density", "nsites"],
    }
    return scenario_of(written(frame, out, "mp3dsc"), "mp3dsc", columns, AS_PUBLISHED)


def jcfid(data: Path, out: Path) -> Scenario:
    rows = pd.read_csv(data / "jcfid" / "rows.csv.gz").dropna(subset=["category", "formation_energy_peratom"])
    embeddings = pd.read_csv(data / "jcfid" / "cgcnn_embeddings.csv.gz")
    frame = rows.merge(embeddings, on="etal_index").drop_duplicates("jid")
    frame = frame.rename(columns={"jid": "id", "category": "family"})
    additional = {"bulk_modulus_kv": "GPa", "shear_modulus_gv": "GPa"}
    columns = {
        "property": "formation_energy_peratom",
        "unit": "eV/atom",
        "features": [f"e{k}" for k in range(32)],
        "additional_properties": additional,
    }
    halves = {"metal": "unstable", "oxide": "stable", "S/Se/Te": "stable"}
    path = written(frame[["id", "family", *columns["features"], columns["property"], *additional]], out, "jcfid")
    return scenario_of(path, "jcfid", columns, halves, start=500, targets=list(additional))


def wbm(data: Path, out: Path, *, rows: int = WBM_ROWS, budget: int = 300) -> Scenario:
    frame = pd.read_csv(data / "wbm" / "wbm_symmetry_ml_eform.csv.gz").dropna()
    frame = frame.sample(rows, random_state=0).rename(columns={"material_id": "id", "crystal_system": "family"})
    columns = {
        "property": "e_form_ml_mace_mp0",
        "unit": "eV/atom",
        "features": ["e_form_ml_megnet", "e_form_ml_voronoi_rf", "n_sites"],
    }
    return scenario_of(written(frame, out, "wbm"), "wbm", columns, AS_PUBLISHED, budget=budget)


MAKERS: dict[str, Callable[[Path, Path], Scenario]] = {
    "emt_alloys": emt_alloys,
    "oqmd8": oqmd8,
    "mp3dsc": mp3dsc,
    "jcfid": jcfid,
    "wbm": wbm,
}
