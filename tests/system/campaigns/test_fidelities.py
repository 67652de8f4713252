"""A campaign that asks two instruments of two methods: killed it decides the same, and every reader counts cost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from scenarios.run.trajectory import read_trajectory_csv
from tests.support.commands import Workbench

pytestmark = pytest.mark.system

MINE = '''
import numpy as np

from agent.acquisition.base import Choice, Proposal


class CheapFirst:
    """Asks for cheap values first, then for dear ones: of the candidates that have a cheap one, and the best again."""

    uses_fidelities = True

    def propose(self, context, count):
        known, left, choices = context.pool.fidelities, context.cost_left, []
        asked = np.concatenate((context.observed, context.pending))
        wants_cheap = (known.method[asked] != known.target).sum() < 6
        available = context.available
        rows = available[(known.method[available] != known.target) == wants_cheap]
        if not wants_cheap and context.decision % 4 == 3:
            again = rows[(known.replicate[rows] == 1) & np.isin(known.candidate[rows], context.observed)]
            rows = np.concatenate((again, rows))
        for row in dict.fromkeys(rows.tolist()):
            if len(choices) < count and known.cost[row] <= left:
                left -= int(known.cost[row])
                choices.append(Choice(row, float(row)))
        return Proposal(tuple(choices), "cheap first" if wants_cheap else "then dear")
'''

TWO = """
name = "two"

[pool]
source = "table"
path = "two.csv"

[pool.columns]
id = "id"
family = "family"
features = ["x", "y"]
property = "dear"
unit = "eV"

[pool.columns.fidelities]
cheap = "rough"

[start]
size = 9
minimum_per_family = 3

[campaign]
policy = "mine.py:CheapFirst"
budget = 69
parallel = 2
fidelity = "best"
replicates = 2

[campaign.fidelities.cheap]
cost = 1

[campaign.fidelities.best]
cost = 7

[simulator]
evaluator = "table"

[simulators.rough.serves]
fidelities = ["cheap"]

[simulators.fine.serves]
fidelities = ["best"]
"""

ALLOWED = ("--allow-code", ".")
SLOW = ("--set", "simulator.latency.mean_s=0.05")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A folder with an undisturbed run."""
    with Workbench(tmp_path_factory.mktemp("two")) as opened:
        (opened.folder / "mine.py").write_text(MINE)
        (opened.folder / "two.toml").write_text(TWO)
        generator = np.random.default_rng(1)
        rows = ["id,family,x,y,dear,rough"]
        for number in range(30):
            x, y = generator.random(2)
            dear = x * x + y / 2
            rough = 0.8 * dear + 0.1 + 0.02 * generator.normal()
            rows.append(f"m{number:02},{'abc'[number % 3]},{x:.5f},{y:.5f},{dear:.6f},{rough:.6f}")
        (opened.folder / "two.csv").write_text("\n".join(rows) + "\n")
        ended = opened.entropilot("run", "two.toml", *ALLOWED, "--quiet")
        assert ended.code == 0, ended
        yield opened


def decided(bench: Workbench, campaign: str = "two") -> list[tuple[str, ...]]:
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence", campaign)
    return [tuple(json.loads(row[0])["candidate_ids"]) for row in rows]


def test_each_instrument_is_asked_for_its_own_method_and_the_budget_pays_the_cost(bench: Workbench) -> None:
    asked = bench.rows("SELECT recipient, count(*) FROM request GROUP BY recipient ORDER BY recipient", "two")
    assert asked == [("fine", 9), ("rough", 6)]
    assert bench.summary("two")["spent"] == 6 * 1 + 9 * 7
    assert bench.summary("two")["budget_unit"] == "units of cost"
    shown = bench.entropilot("report", "two")
    assert "spent 69 of 69 units of cost" in " ".join(shown.out.split()), shown


def test_the_dataset_keeps_every_measurement_and_the_trajectory_counts_the_target(bench: Workbench) -> None:
    kept = bench.rows("SELECT fidelity, replicate, count(*) FROM observation GROUP BY 1, 2 ORDER BY 1, 2", "two")
    assert [row[:2] for row in kept] == [("best", 0), ("best", 1), ("cheap", 0)]
    assert sum(row[2] for row in kept) == 9 + 15
    path = read_trajectory_csv(bench.runs / "two" / "trajectory.csv")
    repeated = kept[1][2]
    assert [number for number, _ in path.points] == list(range(10))
    assert sum(path.points[-1][1].sizes) == 9 + 9 - repeated  # a repetition is no value of its own
    spent = [row[0] for row in bench.rows("SELECT spent FROM bias_point ORDER BY observation", "two")]
    assert spent[0] == 0
    assert spent[-1] == 69
    assert spent == sorted(spent)


def test_a_killed_campaign_decides_as_one_that_was_left_in_peace(bench: Workbench) -> None:
    command = ("run", "two.toml", *ALLOWED, "--quiet", *SLOW, "--campaign", "again")
    for events in (2, 7):
        resume = ("--resume",) if (bench.runs / "again" / "campaign.db").exists() else ()
        part = bench.start(*command, *resume)
        bench.wait_for_events("ResultAccepted", events, "again")
        part.kill()
    ended = bench.entropilot(*command, "--resume")
    assert ended.code == 0, ended
    assert decided(bench, "again") == decided(bench)


@pytest.mark.parametrize("campaign", ["two", "again"])
def test_what_is_kept_is_sound_and_a_replay_decides_the_same(bench: Workbench, campaign: str) -> None:
    verified = bench.entropilot("verify", campaign)
    assert verified.code == 0, verified.out + verified.err
    replayed = json.loads(bench.entropilot("replay", campaign, *ALLOWED, "--json").out)
    assert replayed["identical"] == replayed["decisions"] == len(decided(bench)), replayed


def test_an_explanation_tells_the_measurement_and_the_entropy_of_the_target(bench: Workbench) -> None:
    told = bench.entropilot("why", "two", "3")
    assert told.code == 0, told
    assert "--cheap" in told.out
    assert "observed dear" in " ".join(told.out.split())


def test_another_policy_is_played_at_the_same_cost(bench: Workbench) -> None:
    played = bench.entropilot("what-if", "two", "--policy", "random")
    assert played.code == 0, played
    compared = bench.entropilot(
        "compare", "two.toml", *ALLOWED, "--policies", "mine.py:CheapFirst,random", "--seeds", "2", "--json"
    )
    assert compared.code == 0, compared
    assert "CheapFirst" in compared.out


def test_a_campaign_names_its_target_among_the_methods(bench: Workbench) -> None:
    refused = bench.entropilot("run", "two.toml", *ALLOWED, "--campaign", "wrong", "--set", 'campaign.fidelity="other"')
    assert refused.code != 0
    assert "expected the target among the methods" in " ".join((refused.out + refused.err).split())
