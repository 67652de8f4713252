"""A small campaign whose names are what strangers would write, asked and told in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.export.about import About, about_of
from scenarios.export.reading import RunRecord, read_run
from scenarios.export.run_tables import described_of, run_tables
from scenarios.export.table import Table
from scenarios.settings.dataset import DatasetSettings
from tests.support.strangers.strange_campaign import make_strange_campaign

SAID = DatasetSettings.model_validate(
    {
        "licence": "CC-BY-4.0",
        "creators": [
            {"name": "Josiah Carberry", "orcid": "0000-0002-1825-0097", "affiliation": "Brown University"},
            {"name": "Ada <b>Example</b>"},
        ],
        "sources": ["10.1063/5.0138913", "https://example.org/table"],
        "instruments": {
            "python": {"manufacturer": "us", "model": "3", "serial_number": "7", "method": "told by a loop"}
        },
    }
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its run folder; tests only read it."""
    return make_strange_campaign(tmp_path_factory.mktemp("export") / "runs" / "strange")


@pytest.fixture(scope="session")
def run(folder: Path) -> RunRecord:
    return read_run(folder)


@pytest.fixture(scope="session")
def about(run: RunRecord) -> About:
    return about_of(run, SAID, None, made_at="2026-01-02T03:04:05Z", made_by="0.2.0")


@pytest.fixture(scope="session")
def tables(run: RunRecord) -> tuple[Table, ...]:
    return run_tables(run, described_of(run, None))
