"""A candidate is named to people as its table names it, with our id beside it where the two differ."""

from __future__ import annotations

import pytest

from agent.pool.candidates import Candidate
from tests.support.campaigns import small_pool, with_source_ids


@pytest.mark.parametrize(
    ("source_id", "name"),
    [("", "mp-10"), ("mp-10", "mp-10"), ("MP-10", "MP-10 (mp-10)"), ("MP 10/α", "MP 10/α (mp-10)")],
)
def test_our_id_stands_beside_another_only(source_id: str, name: str) -> None:
    assert Candidate("mp-10", "cubic", source_id=source_id).name == name


def test_what_a_table_calls_its_candidates_changes_no_pool() -> None:
    assert with_source_ids(small_pool()).digest == small_pool().digest
