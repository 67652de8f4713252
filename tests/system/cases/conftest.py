"""The workbench of a case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.cases.bench import Case


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case(tmp_path) as made:
        yield made
