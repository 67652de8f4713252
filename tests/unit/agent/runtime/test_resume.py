"""How a campaign begins and is resumed: the same one, or a clear refusal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.campaign.events import BeginCorrected, BudgetSet, CampaignStarted, StartSetLoaded, load_event
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import AdditionalProperty, CampaignPlan, Ordering
from agent.entropy.bias import measure_bias
from agent.entropy.measure import ESTIMATORS, EntropyMeasure
from agent.runtime.resume import begin, fresh_uid, remember, require_same_plan, take_up
from agent.store.store import Store
from agent.store.tables import SCHEMA_VERSION
from protocols.errors import MessageError, StoreError
from protocols.tables.account import AccountEntry, Handling
from protocols.wire.messages import ControlAction
from tests.support.campaigns import NOW, SENT_AT, control, result_of, small_plan, small_pool, state_of, value_of
from tests.support.stored_campaigns import Shelf, assert_views_equal_fold, delivered, opened

POOL = small_pool(24)
PLAN = small_plan(POOL, budget=16, parallel=4, ordering=Ordering.AS_COMPLETED)
START = [("c000", value_of("c000")), ("c005", value_of("c005"))]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened_store = opened(tmp_path / "campaign.db", POOL)
    yield opened_store
    opened_store.close()


def start(store: Store, plan: CampaignPlan = PLAN, pool: object = POOL) -> None:
    begin(store, pool, plan, START, versions={"numpy": "2"}, now=SENT_AT)  # type: ignore[arg-type]


def test_a_new_campaign_begins_with_its_plan_and_its_start_set(store: Store) -> None:
    start(store)
    started, loaded = store.journal()
    assert started == CampaignStarted(PLAN, {"numpy": "2"}, began_at=NOW)
    assert loaded == StartSetLoaded(("c000", "c005"), (value_of("c000"), value_of("c005")))
    meta = store.meta()
    assert meta is not None
    assert (meta.campaign, meta.uid, meta.schema_version) == ("demo", PLAN.uid, SCHEMA_VERSION)
    assert_views_equal_fold(store, POOL)


def test_how_well_the_start_set_is_known_is_kept_and_seen_by_the_policy(store: Store) -> None:
    begin(store, POOL, PLAN, START, versions={}, now=SENT_AT, uncertainties=((0.0,), (0.25,)))
    _, loaded = store.journal()
    assert isinstance(loaded, StartSetLoaded)
    assert loaded.uncertainties == ((0.0,), (0.25,))
    known = remember(store, POOL).campaign.uncertainties[:, 0]
    assert {POOL.candidate_ids[index]: known[index] for index in np.flatnonzero(known)} == {"c005": 0.25}


def test_what_of_the_table_was_not_taken_as_it_stands_is_journalled_once(store: Store) -> None:
    reading = (AccountEntry(handling=Handling.MERGED, reason="replicates", count=2, places=("line 4", "line 9")),)
    for told in (reading, (), reading):
        begin(store, POOL, PLAN, START, versions={}, now=SENT_AT, reading=told)
    assert store.sequence == 2
    assert remember(store, POOL).campaign.reading == reading


def test_a_campaign_without_a_start_set_can_begin(store: Store) -> None:
    begin(store, POOL, PLAN, [], versions={}, now=SENT_AT)
    stored = remember(store, POOL)
    assert (stored.campaign.observations, stored.observation) == (0, 0)


def test_beginning_again_finds_what_was_begun(store: Store) -> None:
    start(store)
    start(store, small_plan(POOL, uid="ffffffff"))
    assert store.sequence == 2
    assert remember(store, POOL).campaign.plan.uid == PLAN.uid


def test_a_crash_between_the_claim_and_the_first_append_is_mended_with_the_claimed_uid(store: Store) -> None:
    store.claim(PLAN, schema_version=SCHEMA_VERSION, now="2000-01-01T00:00:00Z")
    start(store, small_plan(POOL, uid="ffffffff"))
    assert remember(store, POOL).campaign.plan.uid == PLAN.uid
    assert store.sequence == 2
    meta = store.meta()
    assert meta is not None
    assert meta.created_at == SENT_AT, "when it began, which its journal says too"


def test_remember_knows_what_the_running_agent_knew(store: Store) -> None:
    shelf = Shelf(store, POOL, PLAN)
    for seed in range(5):
        shelf.play(seed, transactions=4)
        stored = remember(store, POOL)
        assert state_of(stored.campaign) == state_of(shelf.campaign)
        assert stored.meter.point() == shelf.maker.ledger.meter.point()
        assert stored.observation == shelf.maker.ledger.observation == len(list(store.trajectory())) - 1


@pytest.mark.parametrize(
    ("plan", "pool", "says"),
    [
        (small_plan(POOL, campaign="other"), POOL, r"another campaign \(demo.*Expected: other"),
        (small_plan(small_pool(25)), small_pool(25), r"another pool of candidates \(demo"),
    ],
)
def test_a_run_folder_of_another_campaign_or_pool_is_refused_and_not_touched(
    store: Store, plan: CampaignPlan, pool: object, says: str
) -> None:
    start(store)
    with pytest.raises(StoreError, match=says):
        start(store, plan, pool)
    assert store.sequence == 2


def test_the_same_plan_is_the_same_after_it_went_through_the_journal() -> None:
    from agent.campaign.events import dump_event

    plan = small_plan(POOL, policy_options={"names": ["a", "b"], "limit": 3, "scale": 0.1, "nested": {"x": [1, 2]}})
    again = load_event(*dump_event(CampaignStarted(plan)))
    assert isinstance(again, CampaignStarted)
    require_same_plan(again.plan, plan)


@pytest.mark.parametrize("name", ["uid", "fingerprint", "recipients"])
def test_what_may_differ_is_taken_from_the_journal(name: str) -> None:
    changed = ("elsewhere",) if name == "recipients" else "elsewhere"
    require_same_plan(PLAN, small_plan(POOL, budget=16, parallel=4, ordering=PLAN.ordering, **{name: changed}))


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("budget", 15), ("seed", 8), ("policy", "etal"), ("policy_options", {"patience": 3}), ("parallel", 2),
        ("batch", 2), ("ordering", Ordering.IN_ORDER), ("max_attempts", 4), ("give_up_after", 9),
        ("valid_range", (-10.0, 11.0)), ("property_name", "gap"), ("unit", "eV"), ("estimator", "m_spacing"),
        ("resolution", 0.5),
    ],
)  # fmt: skip
def test_every_other_setting_must_be_the_same_and_is_named_if_it_is_not(name: str, changed: object) -> None:
    asked = small_plan(POOL, **({"budget": 16, "parallel": 4, "ordering": PLAN.ordering} | {name: changed}))
    with pytest.raises(StoreError, match=rf"other settings \({name}: .* then, .* now\)"):
        require_same_plan(PLAN, asked)


def test_what_the_settings_leave_open_is_taken_from_the_journal() -> None:
    now = PLAN.model_copy(update={"estimator": "m_spacing", "resolution": 0.5})
    require_same_plan(PLAN, now, left_open={"estimator", "resolution"})
    with pytest.raises(StoreError, match=r"\(estimator: 'published' then, 'm_spacing' now\)"):
        require_same_plan(PLAN, now, left_open={"resolution"})


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_bias_is_measured_as_the_plan_says_before_and_after_a_restart(store: Store, estimator: str) -> None:
    shelf = Shelf(store, POOL, small_plan(POOL, budget=16, parallel=4, estimator=estimator, resolution=0.25))
    shelf.play(1)
    stored = remember(store, POOL)
    codes = [int(POOL.family_codes[at]) for at in np.flatnonzero(np.isfinite(shelf.campaign.values))]
    values = shelf.campaign.values[np.isfinite(shelf.campaign.values)]
    point = measure_bias(POOL.families, np.array(codes), values, EntropyMeasure(estimator, 0.25))
    assert stored.meter.point() == shelf.maker.ledger.meter.point() == point
    assert_views_equal_fold(store, POOL)


def test_a_fresh_uid_fits_an_attempt_id_and_differs_every_time() -> None:
    uids = {fresh_uid() for _ in range(200)}
    assert len(uids) == 200
    assert all(len(uid) == 8 and int(uid, 16) >= 0 for uid in uids)


TWO = (AdditionalProperty("gap", "eV", (0.0, 20.0), 1.0, 2.0, 1e-3),)


def test_a_campaign_of_several_properties_is_folded_with_all_of_them(store: Store) -> None:
    begin(store, POOL, small_plan(POOL, additional_properties=TWO), START, [(1.5,), (2.5,)], versions={}, now=SENT_AT)
    stored = remember(store, POOL)
    assert stored.campaign.additional[[0, 5], 0].tolist() == [1.5, 2.5]
    values = np.array([[value_of("c000"), 1.5], [value_of("c005"), 2.5]])
    expected = measure_bias(POOL.families, POOL.family_codes[[0, 5]], values, stored.campaign.plan.targets)
    assert stored.meter.point() == expected


def test_weights_are_those_of_the_beginning_and_scales_those_of_its_start_set() -> None:
    found = small_plan(POOL, additional_properties=TWO)
    require_same_plan(
        found, small_plan(POOL, scale=9.0, additional_properties=(dataclasses.replace(TWO[0], scale=7.0),))
    )
    with pytest.raises(StoreError, match="started with other settings"):
        require_same_plan(found, small_plan(POOL, additional_properties=(dataclasses.replace(TWO[0], weight=2.0),)))


def test_a_begin_that_the_clock_has_not_reached_is_corrected_once_and_orders_are_obeyed_again(store: Store) -> None:
    start(store)
    order = control(ControlAction.PAUSE, sent_at=NOW - timedelta(hours=5))
    with pytest.raises(MessageError, match="one of the two clocks is off"):
        remember(store, POOL).decide(order)
    behind = (NOW - timedelta(hours=6)).isoformat()
    for _ in range(2):
        take_up(store, remember(store, POOL), now=behind)
    assert [type(event) for event in store.journal()] == [CampaignStarted, StartSetLoaded, BeginCorrected]
    ledger = remember(store, POOL)
    assert ledger.campaign.began_at == NOW - timedelta(hours=6)
    assert ledger.decide(order).disposition == "carried out"
    with pytest.raises(MessageError, match="one of the two clocks is off"):
        ledger.decide(order.model_copy(update={"sent_at": NOW - timedelta(hours=7)}))


def test_a_begin_that_lies_in_the_past_stays(store: Store) -> None:
    start(store)
    take_up(store, remember(store, POOL), now=(NOW + timedelta(days=9)).isoformat())
    assert store.sequence == 2


def test_a_time_without_an_offset_is_taken_for_utc(store: Store) -> None:
    begin(store, POOL, PLAN, START, versions={}, now=NOW.replace(tzinfo=None).isoformat())
    assert remember(store, POOL).campaign.began_at == NOW


def finished(store: Store, budget: int = 16) -> Shelf:
    """A campaign that has spent its budget."""
    shelf = Shelf(store, POOL, small_plan(POOL, budget=budget, parallel=4, ordering=Ordering.AS_COMPLETED))
    while shelf.awaited:
        shelf.transaction(delivered(result_of(shelf.awaited[0])))
    assert shelf.campaign.phase is Phase.FINISHED
    return shelf


def test_a_finished_campaign_that_is_resumed_with_a_larger_budget_goes_on_once(store: Store) -> None:
    finished(store, budget=4)
    for _ in range(2):  # started again and again with the same words, as a supervisor does
        ledger = remember(store, POOL)
        require_same_plan(ledger.campaign.plan, small_plan(
            POOL, budget=6, parallel=4, ordering=Ordering.AS_COMPLETED
        ))  # fmt: skip
        take_up(store, ledger, now=SENT_AT, budget=6)
        assert (ledger.campaign.phase, ledger.campaign.budget) == (Phase.RUNNING, 6)
    events = [event for event in store.journal() if isinstance(event, BudgetSet)]
    assert events == [BudgetSet(6, 4, "the campaign was resumed with it")]


def test_what_an_operator_has_set_since_outlives_a_restart_with_the_first_budget(store: Store) -> None:
    shelf = Shelf(store, POOL, PLAN)
    shelf.transaction(delivered(control(ControlAction.SET_BUDGET, budget=20)))
    shelf.transaction(delivered(control(ControlAction.SET_BUDGET, budget=9)))
    for budget in (16, 18, 20):
        ledger = remember(store, POOL)
        assert take_up(store, ledger, now=SENT_AT, budget=budget) == ()
        assert ledger.campaign.budget == 9
    (grown,) = take_up(store, remember(store, POOL), now=SENT_AT, budget=21)
    assert isinstance(grown, BudgetSet)
    assert (grown.budget, grown.before) == (21, 9)


def test_a_larger_budget_that_cannot_help_is_refused_with_the_reason(store: Store) -> None:
    finished(store)
    shelf = remember(store, POOL)
    shelf.campaign.policy_exhausted = "it has seen enough"
    with pytest.raises(StoreError, match="a larger budget changes nothing: the policy has nothing more to ask for"):
        take_up(store, shelf, now=SENT_AT, budget=30)
    assert not any(isinstance(event, BudgetSet) for event in store.journal())
