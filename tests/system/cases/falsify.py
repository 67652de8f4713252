"""Changes the first measured value of a finished run by one, so that only its recording still tells."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from agent.campaign.events import ResultAccepted
from tests.support.samples.rewritten import rewrite_journal
from tests.system.cases.bench import CannotTell

VIEWS: Final = ("observation", "request", "bias_point", "bias_family")


def falsify(folder: Path) -> None:
    """Change the journal of a run folder, its chain of digests, and every view that is folded from it."""
    database = folder / "campaign.db"
    with closing(sqlite3.connect(database)) as connection:
        change_the_journal(connection)
        again = folder.parent / "again.db"
        _fold(database, again)
        connection.execute("ATTACH DATABASE ? AS again", (str(again),))
        for view in VIEWS:
            connection.execute(f"DELETE FROM main.{view}")
            connection.execute(f"INSERT INTO main.{view} SELECT * FROM again.{view}")
        connection.commit()


def change_the_journal(connection: sqlite3.Connection) -> None:
    """Raise the first measured value of a journal by one, its chain of digests with it."""
    changed = False

    def change(_sequence: int, kind: str, event: dict[str, Any]) -> None:
        nonlocal changed
        if kind == ResultAccepted.__name__ and not changed:
            event["value"] += 1.0
            event["quantities"][0]["value"] = event["value"]
            changed = True

    rewrite_journal(connection, change)
    if not changed:
        raise CannotTell("the journal holds no result")


def _fold(database: Path, again: Path) -> None:
    try:
        from agent.store.read_only import referenced_in
        from agent.store.store import Store
        from agent.store.views import DatasetLabels
        from protocols.storage.database import opening, sqlite_url
        from scenarios.verify.run_check import _folded, _journal
        from scenarios.verify.views_check import rebuild
        from scenarios.verify.whole_pool import WholePool
    except ImportError as error:
        raise CannotTell(f"what folds a journal is called otherwise now: {error}") from error
    with opening(sqlite_url(database)) as connection:
        with connection.begin():
            _, events, digests = _journal(connection)
            pool = referenced_in(connection, events)
        connection.close()
        connection.engine.dispose()
    part, fold = _folded(events, digests, pool, WholePool())
    if fold is None:
        raise CannotTell(f"the journal cannot be folded: {part.problem}")
    labels = DatasetLabels.of(pool, fold.ledger.campaign.plan.unit)
    with closing(Store.open(sqlite_url(again), labels=labels, now="2026-01-01T00:00:00Z")) as store:
        rebuild(store, events, fold)
