"""ET-AL against random on real tables: bias, and models trained on what was acquired.

    python -m tests.benchmarks.real_tables [--seeds 10] [--tables oqmd8,mp3dsc,…] [--out runs/real-tables]

| table | property | families | features | start set lacks |
|---|---|---|---|---|
| emt_alloys | formation energy (EMT) | crystal system | structure | unstable tetragonal, trigonal; stable orthorhombic |
| oqmd8 | formation energy (DFT) | crystal system | composition, volume, atoms | the same |
| mp3dsc | formation energy (DFT) | crystal system | composition, volume, density | the same |
| jcfid | formation energy (DFT) | chemical category | published embeddings | unstable metals; stable oxides, S/Se/Te |
| wbm | formation energy **predicted** by MACE (not DFT) | crystal system | two cheaper models' predictions, sites | unstable tetragonal, trigonal; stable orthorhombic |

Everything but emt_alloys lies beside the repository, in `../shared/data`; what is not there is passed over, and said so.
What is compared is what `entropilot compare --downstream` compares; each table's files are in a folder of its own.
"""  # noqa: E501 - a table's rows are one line each

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scenarios.compare.compare import compare_policies
from scenarios.compare.comparison import Comparison
from scenarios.compare.figure import Curve, Panel, draw_panels
from scenarios.compare.files import curve_over_seeds, write_comparison
from scenarios.compare.tables import tables
from scenarios.display.console import progress_on_stderr
from scenarios.display.observation_axis import OBSERVATION_LABEL
from scenarios.settings import derived
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario
from tests.benchmarks.published_tables import DATA, ELEMENTS

AS_PUBLISHED = {"tetragonal": "unstable", "trigonal": "unstable", "orthorhombic": "stable"}
WBM_ROWS = 5_000
"""Drawn of 256,614, so that ten seeds of a campaign take minutes."""

MODELS = ("random_forest", "gradient_boosting")
"""The paper's."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tables", default=",".join(MAKERS))
    parser.add_argument("--policies", default="etal,random")
    parser.add_argument("--out", type=Path, default=Path("runs/real-tables"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only-draw", action="store_true", help="draw again what an earlier run left in --out")
    asked = parser.parse_args()
    if asked.only_draw:
        print(*draw(asked.out, asked.tables.split(",")), sep="\n")
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    head = (
        "table", "range of entropy, start", "random", "etal", "evenness, start", "random", "etal",
        "R² of a random forest, random", "etal",
    )  # fmt: skip
    rows = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name in asked.tables.split(","):
        try:
            scenario = MAKERS[name](asked.data, asked.out)
        except FileNotFoundError as error:
            print(f"note: {name} is passed over: {error}", file=sys.stderr)
            continue
        print(f"== {name}", flush=True)
        with progress_on_stderr(quiet=False) as progress:
            policies = asked.policies.split(",")
            compared = compare_policies(scenario, policies, range(asked.seeds), progress, downstream=True)
        for table in tables(compared):
            from rich import print as show

            show(table)
        for path in write_comparison(compared, asked.out / name):
            print(f"  {path}")
        rows.append(summary_row(name, compared))
    print("\n".join(rows))
    for path in draw(asked.out, asked.tables.split(",")):
        print(f"  {path}")


def summary_row(name: str, compared: Comparison) -> str:
    """Return start, random and etal: mean ± standard deviation over seeds."""
    cells = [name]
    for figure in ("entropy_range", "evenness"):
        starts = [getattr(run.points[0][1], figure, None) for run in compared.runs["random"]]
        cells += [spread(starts), *(spread(compared.final(policy, figure)) for policy in ("random", "etal"))]
    forests = [each for each in compared.models if each.model == MODELS[0]]
    for policy in ("random", "etal"):
        cells.append("; ".join(spread([score.r2 for score in each.at(policy, compared.common)]) for each in forests))
    return "| " + " | ".join(cells) + " |"


def spread(values: list[float | None]) -> str:
    known = np.array([value for value in values if value is not None])
    return f"{known.mean():.3f} ± {known.std(ddof=1):.3f}" if len(known) > 1 else "–"


def draw(out: Path, names: list[str]) -> list[Path]:
    """Draw range and evenness, and R² of a random forest, of every table from the files of its comparison."""
    drawn = [name for name in names if (out / name / "comparison.csv").exists()]
    bias = {name: pd.read_csv(out / name / "comparison.csv") for name in drawn}
    models = {name: pd.read_csv(out / name / "downstream.csv") for name in drawn}
    panels = [
        Panel(f"{name}: {label}", remark, curves(bias[name], "step", figure), from_zero=figure == "entropy_range")
        for figure, label, remark in (
            ("entropy_range", "range [nat]", "lower is better"), ("evenness", "evenness", "higher is better")
        )
        for name in drawn
    ]  # fmt: skip
    forests = [
        Panel(name, f"R² of {target.replace('_', ' ')}", curves(rows, "acquired", "r2"))
        for name, table in models.items()
        for target, rows in table[table["model"] == MODELS[0]].groupby("target")
    ]
    seeds = max(table["seed"].nunique() for table in bias.values())
    subtitle = f"Mean over {seeds} seeds; bands are the 95 % interval of the mean"
    paths = [out / "real-tables.png", out / "real-tables-models.png"]
    draw_panels(paths[0], panels, title="ET-AL and random on real tables", subtitle=subtitle, x_label=OBSERVATION_LABEL)
    title = "A random forest trained on what was acquired, scored on rows held out"
    draw_panels(paths[1], forests, title=title, subtitle=subtitle, x_label="Rows acquired beside the start set")
    return paths


def curves(rows: pd.DataFrame, x: str, y: str) -> dict[str, Curve]:
    """Return mean and band over seeds of each policy."""
    return {
        str(policy): curve_over_seeds([list(zip(run[x], run[y], strict=True)) for _, run in of_policy.groupby("seed")])
        for policy, of_policy in rows.groupby("policy", sort=False)
    }


def scenario_of(path: Path, name: str, columns: dict[str, Any], halves: dict[str, str], **changes: Any) -> Scenario:
    columns = {"id": "id", "family": "family", "on_no_entropy": "warn"} | columns
    return derived.scenario_of(
        {
            "name": name,
            "pool": {"source": "table", "path": str(path), "columns": columns},
            "start": {"size": changes.pop("start", 300), "minimum_per_family": 4, "halves": halves, "threshold": 0.0},
            "campaign": {"budget": changes.pop("budget", 300), "parallel": 4},
            "evaluation": {"models": MODELS, "every": 50} | changes,
        }
    )


def written(frame: pd.DataFrame, out: Path, name: str) -> Path:
    path = out / f"{name}.csv"
    frame.to_csv(path, index=False)
    return path


def emt_alloys(data: Path, out: Path) -> Scenario:
    scenario = load_scenario("emt_alloys", Overrides({}, (), None)).settings
    evaluation = scenario.evaluation.model_copy(update={"models": MODELS, "every": 50})
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

if __name__ == "__main__":
    main()
