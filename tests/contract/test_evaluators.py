"""Our own evaluators keep what every evaluator keeps: the suite that authors of plug-ins run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from protocols.wire.molecule import Molecule
from protocols.wire.structure import CrystalStructure
from scenarios.testing.evaluators import EvaluatorContract, EvaluatorSample, request_for
from simulators.oracle_table import OracleTable, OracleTableSettings
from simulators.registry import make_evaluator
from simulators.settings import SimulatorSettings

COPPER = CrystalStructure(
    cell=((0.0, 1.8, 1.8), (1.8, 0.0, 1.8), (1.8, 1.8, 0.0)), symbols=("Cu",), scaled_positions=((0.0, 0.0, 0.0),)
)


class TestTheLabOfCrystals(EvaluatorContract):
    @pytest.fixture
    def sample(self) -> EvaluatorSample:
        request = request_for("formation_energy_per_atom", "eV/atom", structure=COPPER)
        return EvaluatorSample(partial(make_evaluator, SimulatorSettings(id="emt-1")), [request])


class TestTheTable(EvaluatorContract):
    @pytest.fixture
    def sample(self, tmp_path: Path) -> EvaluatorSample:
        table = tmp_path / "values.csv"
        table.write_text("name,kind,carbon,hardness\nsteel,metal,0.2,2.5\nglass,ceramic,0.0,5.5\n", encoding="utf-8")
        settings = OracleTableSettings.model_validate(
            {
                "path": str(table),
                "columns": {
                    "id": "name",
                    "family": "kind",
                    "property": "hardness",
                    "unit": "GPa",
                    "features": ["carbon"],
                },
            }
        )
        oracle = OracleTable.from_settings(settings)
        requests = [request_for("hardness", "GPa", candidate_id=name, source_id=name) for name in ("steel", "glass")]
        return EvaluatorSample(lambda: oracle, requests)


class TestTheLabOfMolecules(EvaluatorContract):
    @pytest.fixture
    def sample(self) -> EvaluatorSample:
        pytest.importorskip("tblite")
        request = request_for("dipole_moment", "D", molecule=Molecule(smiles="O"))
        return EvaluatorSample(partial(make_evaluator, SimulatorSettings(id="m-1", evaluator="molecules")), [request])
