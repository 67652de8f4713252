"""How a campaign begins and how it is resumed: both fold the journal, a new one after writing its beginning."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from agent.campaign.decide import Consequence
from agent.campaign.events import (
    BeginCorrected,
    BudgetSet,
    CampaignResumed,
    CampaignStarted,
    Event,
    LimitsChanged,
    StartSetLoaded,
)
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.people.controls import CLOCK_TOLERANCE_S
from agent.campaign.people.orders import budget_refused
from agent.campaign.plan import AdditionalProperty, CampaignPlan, Resume, parts_with
from agent.pool.candidates import Pool
from agent.pool.limits.settings import AskingLimits
from agent.store.commit import Commit
from agent.store.store import Store
from agent.store.tables import SCHEMA_VERSION
from protocols.errors import StoreError
from protocols.settings.user_code import CodeSource
from protocols.tables.account import Account


def begin(
    store: Store,
    pool: Pool,
    plan: CampaignPlan,
    start: Sequence[tuple[str, float]],
    additional: Sequence[tuple[float, ...]] = (),
    *,
    versions: Mapping[str, str],
    now: str,
    code: CodeSource | None = None,
    uncertainties: Sequence[tuple[float, ...]] = (),
    reading: Account = (),
) -> None:
    """Write the beginning of a campaign into a new database, or find it there.

    Args:
        store: The database.
        pool: The candidates.
        plan: What the settings ask for.
        start: Candidate id and value of the start set.
        additional: Values of the additional properties that are balanced, a row for each candidate of the start set.
        versions: Of what decides, for the record.
        now: Wall-clock time as ISO 8601: when the campaign begins, if it does so here.
        code: As of `agent.campaign.ledger.Ledger`.
        uncertainties: Standard uncertainties of the property and the additional ones, a row for each candidate of the
            start set; nothing where none is known.
        reading: What of the pool's table was not taken as it stands.

    Raises:
        StoreError: When the database belongs to another campaign, pool or plan.
    """
    meta = store.meta()
    if meta is not None and (meta.campaign, meta.pool_digest) != (plan.campaign, plan.pool_digest):
        what = "campaign" if meta.campaign != plan.campaign else "pool of candidates"
        raise StoreError(
            f"This run folder belongs to another {what} ({meta.campaign}, pool {meta.pool_digest[:12]})",
            expected=f"{plan.campaign}, pool {plan.pool_digest[:12]}",
            action="choose another --campaign, or restore the scenario and table that it was started with",
        )
    if meta is None:
        store.claim(plan, schema_version=SCHEMA_VERSION, now=now)
    elif store.sequence == 0:  # a process ended between the two
        store.claim_again(now=now)
    if store.sequence == 0:
        uid = plan.uid if meta is None else meta.uid
        started = CampaignStarted(plan.model_copy(update={"uid": uid}), versions, reading, _aware(now))
        changes = Ledger(pool, code).take(Consequence((started, StartSetLoaded.of(start, additional, uncertainties))))
        events, bias = tuple(each.event for each in changes), tuple(each.metrics for each in changes if each.metrics)
        store.append(Commit(events=events, bias=bias), now=now)


def remember(store: Store, pool: Pool, code: CodeSource | None = None) -> Ledger:
    """Fold the journal into a ledger.

    Args:
        store: The database.
        pool: The candidates.
        code: As of `agent.campaign.ledger.Ledger`.

    Raises:
        StoreError: When the journal is damaged.
    """
    return Ledger.of_journal(pool, store.journal(), code)


def take_up(
    store: Store, ledger: Ledger, *, now: str, budget: int = 0, limits: AskingLimits | None = None
) -> tuple[Event, ...]:
    """Journal and fold what it changes that a campaign is opened again; return it.

    A begin that the clock has not reached is taken back: it was ahead then, and no order of now would be obeyed. A
    campaign that had paused itself goes on: whoever starts it again has fixed the lab. One that is given a larger
    budget than it ever had gets it, and goes on if it was finished; a smaller one than an operator has set since is
    only what it was started with, and is not news. Other limits than before hold from now on.

    Args:
        store: The database.
        ledger: The campaign, folded from it.
        now: Wall-clock time as ISO 8601.
        budget: What the settings ask for.
        limits: What may be asked for from here on; None leaves it as it was.

    Raises:
        StoreError: When it cannot have the larger budget.
    """
    campaign, time = ledger.campaign, _aware(now)
    events: list[Event] = []
    has_other_limits = limits is not None and limits != campaign.asking.limits
    if budget > campaign.largest_budget:
        if why := budget_refused(campaign, budget, has_other_limits=has_other_limits):
            raise StoreError(
                f"The campaign cannot go on with a budget of {budget}: {why}",
                expected="a campaign that can ask for more",
                action="look at it with `entropilot report`, or start a new --campaign",
            )
        events.append(BudgetSet(budget, campaign.budget, "the campaign was resumed with it"))
    elif campaign.phase is Phase.FINISHED:
        return ()
    if campaign.began_at is not None and (campaign.began_at - time).total_seconds() > CLOCK_TOLERANCE_S:
        events.append(BeginCorrected(time))
    if limits is not None and has_other_limits:
        events.append(LimitsChanged(limits))
    if campaign.paused_itself:
        events.append(CampaignResumed("the agent was started again"))
    if events:
        store.append(Commit(events=tuple(events)), now=now)
        ledger.take(Consequence(tuple(events)))
    return tuple(events)


def require_same_plan(found: CampaignPlan, asked: CampaignPlan, *, left_open: Collection[str] = ()) -> None:
    """Check that a campaign is resumed as it was begun.

    Args:
        found: The plan in the journal.
        asked: What the settings ask for now.
        left_open: Parts that the settings leave to the program, which takes them from the journal then.

    Raises:
        StoreError: With the settings that differ.
    """
    may_differ = parts_with(CampaignPlan, Resume.KEEP_JOURNAL) | frozenset(left_open)
    if asked.budget >= found.budget:
        may_differ |= parts_with(CampaignPlan, Resume.MAY_GROW)
    differing = [
        f"{name}: {getattr(found, name)!r} then, {getattr(asked, name)!r} now"
        for name in CampaignPlan.model_fields
        if name not in may_differ and _plain(getattr(found, name)) != _plain(getattr(asked, name))
    ]
    if differing:
        raise StoreError(
            f"The campaign was started with other settings ({'; '.join(differing)})",
            expected="the same settings, so that the resumed campaign is the same campaign",
            action="give the original flags and settings together with --resume, or start a new --campaign",
        )


def other_policy(found: CampaignPlan, asked: CampaignPlan) -> str:
    """Say that a resumed campaign goes on with another policy than it began with; empty when it does not.

    It is no error: a policy of the user's own is corrected so, and packages are brought up to date.
    """
    if found.fingerprint == asked.fingerprint:
        return ""
    return (
        f"the policy {asked.policy}, its file or the versions of the packages are not those that the campaign began "
        f"with (fingerprint {found.fingerprint} then, {asked.fingerprint} now); the decisions from here on may differ"
    )


def fresh_uid() -> str:
    """Return the random part of a campaign's attempt ids."""
    return uuid.uuid4().hex[:8]


def _aware(time: str) -> datetime:
    """Return a time of ISO 8601; one without an offset is taken for UTC."""
    read = datetime.fromisoformat(time)
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _plain(value: object) -> object:
    """Return a part of a plan for comparison; what follows from the start set is none of the settings."""
    if isinstance(value, AdditionalProperty):
        return value.name, value.unit, tuple(value.valid_range), value.weight
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value
