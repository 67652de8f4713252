"""Ask and tell: the same decisions as a live campaign, kept in a journal, or an error that changes nothing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import entropilot
from protocols.errors import CampaignHalted, EntropilotError, SettingsError, StoreError, TableError

pytestmark = pytest.mark.system


def campaign(pool: pd.DataFrame, **said: Any) -> entropilot.Campaign:
    return entropilot.Campaign(pool, "hardness", "system", unit="GPa", **({"budget": 12} | said))


def played(opened: entropilot.Campaign, frame: pd.DataFrame) -> list[Any]:
    """What a campaign asks for, when it is told the truth of each in turn."""
    asked = []
    while fresh := opened.ask():
        for each in fresh:
            asked.append(each)
            opened.tell(each, frame.loc[each, "hardness"])
    return asked


@pytest.mark.parametrize(("parallel", "policy"), [(1, "gap_gain"), (3, "gap_gain"), (1, "etal"), (2, "random")])
def test_it_decides_as_a_live_campaign_does(
    frame: pd.DataFrame, hidden: pd.DataFrame, tmp_path: Path, parallel: int, policy: str
) -> None:
    """For the same order of results; the live one has a lab that knows the whole table."""
    known = entropilot.Scenario.of_table(frame, property="hardness", family="system", unit="GPa", runs=tmp_path)
    columns = known.settings.pool.columns
    assert columns is not None
    table = {"path": known.settings.pool.path, "columns": columns.model_dump(exclude_none=True)}
    lab = {"simulator.evaluator": "table", "simulator.table": table, "simulator.concurrency": 1}
    scenario = entropilot.Scenario.of_table(
        hidden, property="hardness", family="system", unit="GPa", budget=12, runs=tmp_path,
        settings={"campaign.parallel": parallel, "campaign.policy": policy, **lab},
    )  # fmt: skip
    live = entropilot.run(scenario, runs=tmp_path)
    with campaign(hidden, parallel=parallel, policy=policy) as opened:
        asked = played(opened, frame)
    named = live.dataset["id"].to_dict()
    assert asked == [named[each] for each in live.decisions["candidate"]]


def test_with_a_journal_it_is_a_run_as_any_other(frame: pd.DataFrame, hidden: pd.DataFrame, tmp_path: Path) -> None:
    with campaign(hidden, journal=tmp_path / "mine") as opened:
        asked = played(opened, frame)
        assert opened.is_finished
        assert opened.why_finished == "the budget is spent"
    run = opened.run
    assert run.verify(), repr(run.verify())
    assert entropilot.replay(run)
    assert run.dataset.loc[run.decisions["candidate"], "id"].tolist() == asked
    assert "the same decision comes out today" in repr(run.why(2))


def test_what_was_open_is_asked_for_again_after_the_process_ended(hidden: pd.DataFrame, tmp_path: Path) -> None:
    with campaign(hidden, parallel=3, journal=tmp_path / "mine") as opened:
        first = opened.ask()
    with campaign(hidden, parallel=3, journal=tmp_path / "mine") as again:
        assert again.ask() == first
        assert again.ask() == []
        again.tell(first[0], 1.0)
        assert len(again.ask()) == 1
    assert again.run.verify(), repr(again.run.verify())


def test_uncertainties_are_kept(hidden: pd.DataFrame, tmp_path: Path) -> None:
    with campaign(hidden, journal=tmp_path / "mine") as opened:
        (which,) = opened.ask(1)
        opened.tell(which, 1.5, uncertainty=0.25)
        assert opened.dataset.loc[which, ["value", "uncertainty"]].tolist() == [1.5, 0.25]
    assert opened.run.dataset.set_index("id").loc[which, "uncertainty"] == 0.25


def test_a_value_that_nobody_asked_for_is_known_then(frame: pd.DataFrame, hidden: pd.DataFrame) -> None:
    opened = campaign(hidden)
    other = next(each for each in hidden.index[15:] if each not in opened.open)
    opened.tell(other, frame.loc[other, "hardness"])
    assert other in opened.dataset.index
    assert other not in played(opened, frame)


def test_a_candidate_that_fails_is_asked_for_again_and_then_left(hidden: pd.DataFrame) -> None:
    opened = campaign(hidden, settings={"campaign.max_attempts": 2})
    (which,) = opened.ask()
    opened.tell_failed(which, "the furnace is cold")
    assert opened.ask() == [which]
    opened.tell_failed(which, "the furnace is cold")
    assert opened.ask() != [which]
    (other,) = opened.open
    opened.tell_failed(other, "no powder", permanent=True)
    assert other not in opened.open


def test_a_lab_that_gives_nothing_pauses_the_campaign(hidden: pd.DataFrame) -> None:
    opened = campaign(hidden, settings={"campaign.max_attempts": 1, "campaign.give_up_after": 2})
    for _ in range(2):
        (which,) = opened.ask()
        opened.tell_failed(which)
    with pytest.raises(CampaignHalted, match="paused itself"):
        opened.ask()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda opened, which: opened.tell("nobody", 1.0), "no candidate 'nobody'"),
        (lambda opened, which: opened.tell(which, math.nan), "nan"),
        (lambda opened, which: opened.tell(which, 1e30), "1e+30"),
        (lambda opened, which: opened.tell(which, 1.0, uncertainty=-1.0), "not below 0"),
        (lambda opened, which: opened.tell(which, "high"), "'high'. Expected: a number"),
        (lambda opened, which: opened.tell(which, 1j), "Expected: a number"),
        (lambda opened, which: opened.tell(which, 1.0, uncertainty="low"), "'low'. Expected: a number"),
        (lambda opened, which: opened.tell(which, 1.0, duration_s=float("inf")), "finite number of seconds"),
        (lambda opened, which: opened.tell(which, 1.0, additional={"x": 1.0}), "one property is balanced"),
        (lambda opened, which: opened.ask(2), "make the campaign with parallel=2"),
        (lambda opened, which: opened.tell_failed('S,"0"'), "is not asked for"),
        (lambda opened, which: opened.tell('S,"0"', 1.0), "observed"),
        (lambda opened, which: opened.run, "in memory alone"),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(
    hidden: pd.DataFrame, wrong: Callable[[entropilot.Campaign, Any], object], told: str
) -> None:
    opened = campaign(hidden)
    (which,) = opened.ask()
    before = opened.dataset
    with pytest.raises(SettingsError) as caught:
        wrong(opened, which)
    assert told in str(caught.value)
    assert opened.dataset.equals(before)
    assert opened.open == [which]
    opened.tell(which, 1.0)


def test_pools_and_journals_that_cannot_be_used_are_told(
    frame: pd.DataFrame, hidden: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(TableError, match="NaN where"):
        campaign(frame)
    with pytest.raises(EntropilotError, match="no_such"):
        campaign(hidden, policy="no_such")
    with campaign(hidden, journal=tmp_path / "mine"), pytest.raises(StoreError):
        campaign(hidden, journal=tmp_path / "mine")  # while the first one has it
    with pytest.raises(StoreError, match="other settings"):
        campaign(hidden, journal=tmp_path / "mine", seed=5)
    with pytest.raises(StoreError, match="another pool"):
        campaign(hidden.iloc[:-1], journal=tmp_path / "mine")


def test_threads_that_ask_and_tell_get_each_candidate_once(frame: pd.DataFrame, hidden: pd.DataFrame) -> None:
    campaign = entropilot.Campaign(hidden, property="hardness", family="system", budget=12, parallel=4)
    asked: list[Hashable] = []

    def work() -> None:
        for _ in range(20):
            for candidate in campaign.ask():
                asked.append(candidate)
                campaign.tell(candidate, float(frame.hardness[candidate]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(asked) == len(set(asked)) == 12
    assert campaign.is_finished


def test_a_journal_that_another_campaign_holds_is_told(hidden: pd.DataFrame, tmp_path: Path) -> None:
    first = entropilot.Campaign(hidden, property="hardness", family="system", journal=tmp_path / "mine")
    before = sorted(each.name for each in (tmp_path / "mine").iterdir())
    with pytest.raises(entropilot.EntropilotError) as refused:
        entropilot.Campaign(hidden, property="hardness", family="system", journal=tmp_path / "mine")
    assert refused.value.found
    assert sorted(each.name for each in (tmp_path / "mine").iterdir()) == before
    first.close()
