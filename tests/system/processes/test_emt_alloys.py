"""The alloys' properties, calculated in several processes."""

from __future__ import annotations

import numpy as np
import pytest

from agent.pool.candidates import Candidate, make_pool
from protocols.errors import SettingsError
from protocols.wire.structure import CrystalStructure
from scenarios.world.emt_alloys import (
    emt_quantities,
    make_emt_alloys,
    make_emt_pool,
)


def test_two_processes_give_what_one_gives() -> None:
    told: list[tuple[int, int]] = []
    small = make_emt_pool(2, members_per_family=3)
    shared = emt_quantities(small, processes=2, progress=lambda done, total: told.append((done, total)))
    assert shared == emt_quantities(small, processes=1)
    assert told[-1] == (21, 21)


def test_the_world_gives_the_asked_property_in_pool_order(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    pool, values = make_emt_alloys(
        2, "volume_per_atom", lambda doing, _done, _total: told.append(doing), members_per_family=2
    )
    known = emt_quantities(pool, processes=1)
    assert values.tolist() == [known[candidate_id][1].value for candidate_id in pool.candidate_ids]
    assert list(dict.fromkeys(told)) == ["making crystals", "calculating energies"]


@pytest.mark.parametrize(
    ("structure", "says"),
    [
        (None, "no structure"),
        (
            CrystalStructure(
                cell=((2.9, 0.0, 0.0), (0.0, 2.9, 0.0), (0.0, 0.0, 2.9)),
                symbols=("Fe",),
                scaled_positions=((0.0, 0.0, 0.0),),
            ),
            "Fe",
        ),
    ],
)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_candidate_that_cannot_be_calculated_is_named(
    structure: CrystalStructure | None, says: str, processes: int
) -> None:
    strange = make_pool([Candidate("strange-1", "cubic", "Fe", structure)], np.zeros((1, 1)), ["x"])
    with pytest.raises(SettingsError, match=rf"'strange-1'.*{says}"):
        emt_quantities(strange, processes=processes)
