"""What a request cannot carry is refused before a campaign begins."""

from __future__ import annotations

import numpy as np
import pytest

from agent.pool.candidates import Candidate, Pool, make_pool
from agent.runtime.sendable import features_of, require_sendable
from protocols.errors import SettingsError, TableError
from protocols.wire.limits import MAX_ATOMS
from protocols.wire.messages import Quantity
from protocols.wire.parameters import ParameterColumns, Parameters
from protocols.wire.structure import CrystalStructure
from tests.support.campaigns import Play, small_plan, small_pool

CRYSTAL = CrystalStructure(
    cell=((40.0, 0.0, 0.0), (0.0, 40.0, 0.0), (0.0, 0.1, 40.0)),
    symbols=("Cu",) * MAX_ATOMS,
    scaled_positions=tuple((i / 512, i / 500, 2 / 3) for i in range(MAX_ATOMS)),
)


def labelled(characters: int, crystal: CrystalStructure | None) -> Pool:
    names = tuple(f"label-{place}" for place in range(-(-characters // 500)))
    told = Parameters(ParameterColumns(labels=names), (), ("x" * 500,) * len(names))
    return make_pool([Candidate("c", "cubic", structure=crystal, parameters=told)], np.zeros((1, 1)), ("f",))


def named(*names: str) -> Pool:
    return make_pool([Candidate("c", "cubic")], np.zeros((1, len(names))), names)


def test_parameters_that_have_no_room_beside_the_structure_are_refused() -> None:
    require_sendable(labelled(10_000, CRYSTAL), features=False)
    require_sendable(labelled(30_000, None), features=False)
    with pytest.raises(TableError, match=r"candidate 'c' take up to 6.* bytes in a request"):
        require_sendable(labelled(20_000, CRYSTAL), features=False)


def test_features_are_looked_at_only_where_they_are_sent() -> None:
    long, many = named("f" * 65), named(*(f"f{place}" for place in range(900)))
    for pool in (long, many):
        require_sendable(pool, features=False)
    with pytest.raises(SettingsError, match="has 65 characters"):
        require_sendable(long, features=True)
    with pytest.raises(SettingsError, match=r"The 900 features take up to .* bytes"):
        require_sendable(many, features=True)
    require_sendable(small_pool(), features=True)


def test_features_are_those_that_the_policy_sees() -> None:
    pool = small_pool()
    of = features_of(Play(pool, small_plan(pool)).campaign)
    row = pool.features[pool.index_of["c004"]]
    assert of("c004") == tuple(Quantity(name=f"f{place}", value=row[place], unit="") for place in range(3))
