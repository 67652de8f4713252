"""The agent of a run folder writes to the folder's own database, or to the one that it remembers, and to no other."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from agent.run_files import RECORDING
from agent.store.place import DatabasePlace, write_place
from agent.store.run_database import RunDatabase
from agent.store.tables import CampaignMeta
from protocols.errors import StoreError
from tests.support.campaigns import small_pool
from tests.support.stored_campaigns import opened

URL = "postgresql+psycopg://lab@host/name"


def meta(campaign: str = "c", uid: str = "a1") -> CampaignMeta:
    return CampaignMeta(campaign=campaign, uid=uid, schema_version=3, pool_digest="0", created_at="")


def test_a_folder_that_remembers_nothing_has_its_own_file(tmp_path: Path) -> None:
    for given in (None, f"sqlite:///{tmp_path}/campaign.db"):
        own = RunDatabase.of(tmp_path, given)
        assert (own.is_own, own.name) == (True, str(tmp_path))
        own.require_ours(meta("another", "b2"), "c", resume=True)  # its plan is compared with all that it says
        with closing(opened(tmp_path / "campaign.db", small_pool(8))) as store:
            own.remember(store, "a1")
        assert not (tmp_path / "database.json").exists()


def test_what_is_remembered_holds_until_a_person_says_otherwise(tmp_path: Path) -> None:
    write_place(tmp_path, DatabasePlace(url=URL, uid="a1"))
    assert RunDatabase.of(tmp_path, None).url == URL
    assert RunDatabase.of(tmp_path, f"{URL}2").url == f"{URL}2"
    (tmp_path / "database.json").write_text("?")
    assert RunDatabase.of(tmp_path, URL).remembered is None
    with pytest.raises(StoreError, match="does not tell"):
        RunDatabase.of(tmp_path, None)


def test_a_folder_with_a_file_of_its_own_takes_no_other(tmp_path: Path) -> None:
    (tmp_path / "campaign.db").touch()
    with pytest.raises(StoreError, match=r"has its database in campaign\.db already"):
        RunDatabase.of(tmp_path, URL)


def test_a_new_database_is_taken_and_one_that_was_emptied_is_not(tmp_path: Path) -> None:
    RunDatabase.of(tmp_path, URL).require_ours(None, "c", resume=False)
    with pytest.raises(StoreError, match="holds no campaign to resume"):
        RunDatabase.of(tmp_path, URL).require_ours(None, "c", resume=True)
    write_place(tmp_path, DatabasePlace(url=URL, uid="a1"))
    begun = RunDatabase.of(tmp_path, None)
    begun.require_ours(None, "c", resume=True)  # it was killed before it began
    begun.require_ours(meta(), "c", resume=True)
    (tmp_path / RECORDING).touch()
    with pytest.raises(StoreError, match="it was wiped"):
        begun.require_ours(None, "c", resume=True)


def test_the_database_of_another_campaign_is_refused(tmp_path: Path) -> None:
    write_place(tmp_path, DatabasePlace(url=URL, uid="a1"))
    place = RunDatabase.of(tmp_path, None)
    with pytest.raises(StoreError, match=r"holds another campaign, 'd'.*createdb c"):
        place.require_ours(meta("d"), "c", resume=True)
    with pytest.raises(StoreError, match="another campaign of the name 'c'"):
        place.require_ours(meta(uid="b2"), "c", resume=True)
    RunDatabase.of(tmp_path / "lost", URL).require_ours(meta(uid="b2"), "c", resume=True)


def test_a_file_elsewhere_has_one_writer(tmp_path: Path) -> None:
    one, other = (RunDatabase.of(tmp_path / name, f"sqlite:///{tmp_path}/shared.db") for name in ("a", "b"))
    with one.without_other_writers("end it"), pytest.raises(StoreError, match="Another agent"):
        other.without_other_writers("end it").__enter__()
    with other.without_other_writers("end it"), RunDatabase.of(tmp_path, URL).without_other_writers("end it"):
        pass
