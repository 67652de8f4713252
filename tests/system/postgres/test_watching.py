"""A campaign on a server is shown as one in a file is: the same of any moment, and nothing there is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.store.place import DatabasePlace, write_place
from agent.store.server_copy import copy_server
from protocols.errors import DatabaseAway
from scenarios.watch.reading.find import open_run
from scenarios.watch.reading.run_source import RunSource
from tests.support.databases.cutting_proxy import CuttingProxy
from tests.support.runs.watched_runs import random_run

pytestmark = pytest.mark.system


def everything(source: RunSource) -> list[object]:
    """All that a source tells, but for what depends on the time of asking."""
    last = source.moment().last_observation or 0
    told: list[object] = [source.moment(), source.campaign(), source.series(), source.points_after(0)]
    told += [source.moment(observation) for observation in range(last + 1)]
    told += [source.decisions(), source.set_aside(), source.journal(limit=500), source.version()]
    told += [source.dataset(at=observation, order="-value") for observation in (0, last // 2, last)]
    told += [[each.model_copy(update={"silent_s": None, "oldest_s": None}) for each in source.instruments()]]
    return [*told, source.trust().model_copy(update={"checked_at": None})]


def test_a_run_on_a_server_is_told_as_its_copy_in_a_file_is(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.watch.reading.bands.BUDGET_S", 60.0)
    random_run(tmp_path / "server" / "demo", 5, database)
    write_place(tmp_path / "server" / "demo", DatabasePlace(url=database, uid="0a1b2c3d"))
    (tmp_path / "file" / "demo").mkdir(parents=True)
    copy_server(database, tmp_path / "file" / "demo" / "campaign.db")
    there, here = (open_run(tmp_path / where / "demo") for where in ("server", "file"))
    assert everything(there) == everything(here)
    assert there.card() == here.card()
    there.close()
    here.close()


def test_a_server_that_is_lost_is_told_and_nothing_else_breaks(
    database: str, through: str, proxy: CuttingProxy, tmp_path: Path
) -> None:
    random_run(tmp_path / "demo", 1, database)
    source = open_run(tmp_path / "demo", through)
    known = source.moment()
    proxy.close()
    for _ in range(2):
        with pytest.raises(DatabaseAway):
            source.moment()
    assert source.card().phase == "unreadable"
    source.close()
    again = open_run(tmp_path / "demo", database)
    assert again.moment() == known
    again.close()
