"""Tables of one property by two methods: a dear one that counts, and a cheap one that tells of it.

| table | dear | cheap | rows | families |
|---|---|---|---|---|
| molecules | dipole moment by B3LYP/def2-SVPD | by GFN2-xTB | 225 | functional groups |
| qm9 | dipole moment of QM9, by B3LYP/6-31G(2df,p) at its geometry | by GFN2-xTB at ours | 640 | functional groups |
| wbm | formation energy by eqV2 | by MEGNet | 1,050 | crystal systems |

The first is shipped (`scenarios/library/small_molecules.csv`). The values of QM9 and WBM lie beside the project's
folder, and their tables are left out where they are not; both of WBM are of machine-learned models, not of DFT.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from agent.acquisition.base import FloatArray, IndexArray
from agent.entropy.measure import EntropyMeasure
from scenarios.world.start_set import Half, biased_start
from tests.benchmarks.published_tables import DATA

LIBRARY: Final = Path("scenarios/library")
HERE: Final = Path(__file__).parent

WBM_ROWS_PER_FAMILY: Final = 150

DEAR_ELSEWHERE: Final = {"qm9": "qm9/qm9_130829.csv.gz", "wbm": "wbm/wbm_symmetry_ml_eform.csv.gz"}
"""Table -> where its dear values lie, below the folder of real tables."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoMethods:
    """A table.

    Attributes:
        features: Shape (n, d).
        codes: Family of each row, shape (n,).
        families: Their names.
        dear: Values that count, shape (n,).
        cheap: Values that tell of them, shape (n,).
        measure: The entropy that counts.
        start_size: Dear values that are known at the start.
        least: Of each family.
    """

    features: FloatArray
    codes: IndexArray
    families: tuple[str, ...]
    dear: FloatArray
    cheap: FloatArray
    measure: EntropyMeasure
    start_size: int
    least: int

    def start(self, seed: int) -> IndexArray:
        """Return a biased start set: half of the families, drawn by the seed, lack their upper or their lower half."""
        rng = np.random.default_rng(1_000 + seed)
        robbed = rng.permutation(np.array(self.families))[: len(self.families) // 2]
        halves: dict[str, Half] = {str(each): "unstable" if rng.random() < 0.5 else "stable" for each in robbed}
        return biased_start(
            self.codes,
            self.families,
            self.dear,
            size=self.start_size,
            seed=seed,
            halves=halves,
            minimum_per_family=self.least,
        )


def molecules() -> TwoMethods:
    """Dipole moments of small molecules [D]."""
    frame = pd.read_csv(LIBRARY / "small_molecules.csv")
    features = frame[[each for each in frame.columns if each.startswith("feat_")]]
    return _table(frame, features, "family", ("dipole_b3lyp", "dipole_gfn2"), resolution=0.01, start_size=36, least=5)


def qm9() -> TwoMethods:
    """Dipole moments of molecules of QM9 [D]."""
    known = pd.read_csv(DATA / DEAR_ELSEWHERE["qm9"])[["smiles", "mu"]].drop_duplicates("smiles")
    frame = pd.read_csv(HERE / "qm9_gfn2.csv").merge(known, on="smiles")
    features = frame.drop(columns=["smiles", "family", "mu_gfn2", "mu"])
    return _table(frame, features, "family", ("mu", "mu_gfn2"), resolution=0.01, start_size=90, least=6)


def wbm() -> TwoMethods:
    """Formation energies of crystals of WBM [eV/atom]."""
    frame = pd.read_csv(DATA / DEAR_ELSEWHERE["wbm"]).dropna()
    frame = frame.groupby("crystal_system").sample(WBM_ROWS_PER_FAMILY, random_state=0)
    values = ("e_form_ml_eqV2_omat", "e_form_ml_megnet")
    features = frame[["n_sites", "spacegroup_number"]]
    return _table(frame, features, "crystal_system", values, resolution=0.001, start_size=120, least=8)


TABLES: Final[dict[str, Callable[[], TwoMethods]]] = {"molecules": molecules, "qm9": qm9, "wbm": wbm}


def is_here(name: str) -> bool:
    """Whether the values of a table can be read."""
    return name not in DEAR_ELSEWHERE or (DATA / DEAR_ELSEWHERE[name]).exists()


def _table(
    frame: pd.DataFrame,
    features: pd.DataFrame,
    family: str,
    values: tuple[str, str],
    *,
    resolution: float,
    start_size: int,
    least: int,
) -> TwoMethods:
    families = tuple(sorted(frame[family].unique()))
    codes = np.array([families.index(each) for each in frame[family]], dtype=np.int64)
    dear, cheap = (frame[each].to_numpy(dtype=np.float64) for each in values)
    measure = EntropyMeasure(resolution=resolution)
    return TwoMethods(features.to_numpy(dtype=np.float64), codes, families, dear, cheap, measure, start_size, least)
