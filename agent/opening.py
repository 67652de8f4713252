"""Opens a run folder: its lock, its database and its journal, folded; a campaign begins here, or is taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.acquisition.registry import declared_metrics, make_meter, policy_fingerprint
from agent.campaign.context import pool_arrays
from agent.campaign.events import Event
from agent.campaign.ledger import Ledger
from agent.campaign.people.approval import NO_APPROVAL, ApprovalSettings
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from agent.run_files import LOCK
from agent.runtime.resume import begin, fresh_uid, other_policy, remember, require_same_plan, take_up
from agent.runtime.sendable import require_sendable
from agent.settings import CampaignSettings
from agent.store.patience import Patience
from agent.store.run_database import RunDatabase
from agent.store.store import Store
from agent.store.views import DatasetLabels
from agent.versions import versions
from protocols.errors import StoreError
from protocols.storage.database import require_database_url
from protocols.storage.run_lock import RunLock
from protocols.tables.account import Account


@dataclass(frozen=True, slots=True)
class CampaignFiles:
    """An opened run folder."""

    folder: Path
    store: Store
    ledger: Ledger
    note: str = ""
    """What a person should know of a campaign that is resumed."""
    reading: Account = ()
    """What of the pool's table was not taken as it stands, where the campaign begins here; nothing of one resumed."""
    taken_up: tuple[Event, ...] = ()
    """What was journalled because the campaign was opened again."""

    @property
    def plan(self) -> CampaignPlan:
        """What the campaign was started with."""
        return self.ledger.campaign.plan


@contextmanager
def open_campaign(
    folder: Path,
    *,
    pool: Pool,
    settings: CampaignSettings,
    campaign: str,
    recipients: tuple[str, ...],
    start: list[tuple[str, float]],
    start_additional: list[tuple[float, ...]] | None = None,
    start_uncertainties: list[tuple[float, ...]] | None = None,
    resume: bool,
    database_url: str | None = None,
    reading: Account = (),
    approval: ApprovalSettings = NO_APPROVAL,
    tell: Callable[[str], None] = lambda _sentence: None,
) -> Iterator[CampaignFiles]:
    """Open or create a run folder and fold its journal; hold its lock meanwhile.

    Args:
        folder: The run folder.
        pool: The candidates.
        settings: The campaign's plan.
        campaign: Its name.
        recipients: Simulators that requests are addressed to.
        start: Candidate id and value of the start set.
        start_additional: Values of the additional properties that are balanced, a row for each candidate of the start
            set.
        start_uncertainties: Standard uncertainties of the property and those, a row for each candidate of the start
            set; nothing where none is known.
        resume: Whether a campaign that has begun is to be resumed.
        database_url: Another database than the folder's own file; the folder remembers it.
        reading: What of the pool's table was not taken as it stands; journalled when the campaign begins.
        approval: Which decisions wait for an operator's approval.
        tell: Called with a sentence when a database's server is away, and when it is back.

    Raises:
        StoreError: When the folder is in use, of another campaign, damaged, or holds a campaign and `resume` is off.
        SettingsError: When the policy that declares the metrics can do nothing with the pool, or a request cannot carry
            the features that are to be sent.
        TableError: When a request cannot carry what is to be set for a candidate.
    """
    # Before a folder is made for it:
    if database_url is not None:
        require_database_url(database_url)
    _require_meter(pool, settings)
    require_sendable(pool, features=settings.send_features)
    advice = "wait for it or end it, then run again with --resume; or choose another --campaign"
    where = RunDatabase.of(folder, database_url)
    with RunLock(folder / LOCK, holder="agent", advice=advice), where.without_other_writers(advice):
        store = _store(where, pool, settings, tell)
        try:
            asked = settings.plan(
                campaign=campaign,
                uid=fresh_uid(),
                fingerprint=policy_fingerprint(settings.policy, settings.policy_options, settings.code),
                recipients=recipients,
                pool=pool,
                start_values=[value for _, value in start],
                start_additional=start_additional or (),
            ).model_copy(update={"approval": approval})
            _claim(where, store, asked, resume=resume)
            told = () if store.sequence else reading
            begin(
                store, pool, asked, start, start_additional or (),
                versions=versions(), now=_now(), code=settings.code,
                uncertainties=start_uncertainties or (), reading=told,
            )  # fmt: skip
            ledger = remember(store, pool, settings.code)
            require_same_plan(ledger.campaign.plan, asked, left_open=settings.left_open())
            taken_up = take_up(store, ledger, now=_now(), budget=asked.budget, limits=asked.limits)
            yield CampaignFiles(folder, store, ledger, other_policy(ledger.campaign.plan, asked), told, taken_up)
        finally:
            store.close()


def _store(where: RunDatabase, pool: Pool, settings: CampaignSettings, tell: Callable[[str], None]) -> Store:
    """Open the database of a run; wait for a server that is away."""
    patience = Patience(settings.database_timeout_s, tell)
    return Store.open(where.url, labels=DatasetLabels.of(pool, settings.unit), now=_now(), patience=patience)


def _claim(where: RunDatabase, store: Store, asked: CampaignPlan, *, resume: bool) -> None:
    """Check that a database is ours, or empty, and let the run folder remember it."""
    meta = store.meta()
    where.require_ours(meta, asked.campaign, resume=resume)
    if store.sequence and not resume:
        raise StoreError(
            f"{where.name} holds a campaign already",
            expected="an empty run folder" if where.is_own else "an empty database",
            action="resume it with --resume, or choose another --campaign (the same for its simulators)",
        )
    where.remember(store, asked.uid if meta is None else meta.uid)


def _require_meter(pool: Pool, settings: CampaignSettings) -> None:
    """Check that the declared metrics can be computed over the pool."""
    name, options = settings.metered_by
    arrays = pool_arrays(pool)
    if declared_metrics(name, options, settings.unit, arrays, settings.code):
        properties = (settings.property, *settings.additional_properties)
        make_meter(name, options, arrays, properties, settings.code, seed=settings.seed)


def _now() -> str:
    return datetime.now(UTC).isoformat()
