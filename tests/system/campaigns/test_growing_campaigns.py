"""Campaigns whose pool grows: killed they decide the same, and whoever reads one makes the same pool of its journal."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

import pytest

from protocols.molecules.features import FEATURE_NAMES, molecule_features
from tests.support.commands import Workbench
from tests.support.samples.molecules import needs_xtb

pytestmark = pytest.mark.system

MINE = '''
import hashlib

import numpy as np

from agent.acquisition.base import Choice, Proposal
from agent.pool.candidates import content_id
from agent.pool.growth import NewCandidate
from protocols.wire.messages import Quantity


class Stepping:
    """Makes two candidates beside the best known one, takes the first, and every third time one of the pool too."""

    grows_pool = True

    def __init__(self, *, family=""):
        self.family = family

    def propose(self, context, count):
        pool, size = context.pool, len(context.pool.candidate_ids)
        best = int(context.observed[context.values.argmax()])
        steps = np.random.default_rng(context.seed).normal(size=(2, pool.features.shape[1]))
        new = tuple(
            NewCandidate(
                candidate_id=content_id("step", repr(features.tolist())),
                family=self.family or pool.families[pool.family_codes[best]],
                features=tuple(features),
                formula="X",
                parent=pool.candidate_ids[best],
                origin=f"a step from {pool.candidate_ids[best]}",
            )
            for features in pool.features[best] + 0.3 * steps
        )
        if context.decision % 3 == 2:
            chosen = (Choice(int(context.available[0])),)
            return Proposal(chosen, "the first of the pool", Choice(size), new_candidates=new[:1])
        return Proposal((Choice(size, 1.0),), "a step from the best", Choice(size + 1, 0.5), new_candidates=new)


class Newest:
    """Chooses what came last into the pool."""

    runs_inline = True

    def propose(self, context, count):
        return Proposal(tuple(Choice(int(index)) for index in context.available[::-1][:count]), "the newest")


class Lab:
    """Measures anything: a number made of the id."""

    def evaluate(self, request):
        digest = hashlib.sha256(request.candidate_id.encode()).digest()
        return (Quantity(name="energy", value=int.from_bytes(digest[:4], "big") / 2**32, unit="eV"),)
'''

OWN = ("--policy", "mine.py:Stepping", "--set", 'simulator.evaluator="mine.py:Lab"', "--quiet")
SLOW = ("--set", "simulator.latency.mean_s=0.05")
"""Slow enough to be killed on the way."""

ALLOWED = ("--allow-code", ".")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A folder with an undisturbed run of such a policy."""
    with Workbench(tmp_path_factory.mktemp("growing")) as opened:
        (opened.folder / "mine.py").write_text(MINE)
        ended = opened.entropilot("run", "lab.toml", *OWN)
        assert ended.code == 0, ended
        yield opened


def decided(bench: Workbench, campaign: str = "lab") -> list[dict[str, Any]]:
    """Every decision of a run, with what joined the pool, and without what belongs to this journal alone."""
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence", campaign)
    return [{name: value for name, value in json.loads(row[0]).items() if name != "based_on"} for row in rows]


def test_most_of_what_is_measured_was_not_in_the_pool(bench: Workbench) -> None:
    table = (bench.folder / "table.csv").read_text()
    chosen = [each["candidate_ids"][0] for each in decided(bench)]
    assert sum(name not in table for name in chosen) == 8
    families = bench.rows("SELECT DISTINCT family FROM observation WHERE candidate_id LIKE 'step-%'")
    assert families
    assert {row[0] for row in families} <= {"cubic", "hexagonal", "trigonal"}
    assert bench.summary()["spent"] == 12


def test_a_killed_campaign_decides_as_one_that_was_left_in_peace(bench: Workbench) -> None:
    command = ("run", "lab.toml", *OWN, *SLOW, "--campaign", "again")
    for events in (1, 4, 7, 10):
        resume = ("--resume",) if (bench.runs / "again" / "campaign.db").exists() else ()
        part = bench.start(*command, *resume)
        bench.wait_for_events("ResultAccepted", events, "again")
        part.kill()
    ended = bench.entropilot(*command, "--resume")
    assert ended.code == 0, ended
    assert decided(bench, "again") == decided(bench)
    assert bench.entropilot("verify", "again").code == 0
    replayed = bench.entropilot("replay", "again", *ALLOWED, "--json")
    assert json.loads(replayed.out)["identical"] == 12, replayed
    diff = bench.entropilot("diff", "lab", "again")
    assert "all 12 decisions that both made are the same" in diff.out, diff


@pytest.mark.parametrize("command", ["verify", "report"])
def test_a_reader_runs_no_code_and_has_the_pool_from_the_journal(bench: Workbench, command: str) -> None:
    hidden = bench.folder / "mine.py"
    hidden.rename(bench.folder / "elsewhere.py")
    try:
        ended = bench.entropilot(command, "lab")
    finally:
        (bench.folder / "elsewhere.py").rename(hidden)
    assert ended.code == 0, ended


def test_a_replay_makes_the_same_candidates(bench: Workbench) -> None:
    ended = bench.entropilot("replay", "lab", *ALLOWED, "--json")
    told = json.loads(ended.out)
    assert (told["identical"], told["decisions"], told["other_figures"]) == (12, 12, 0), told


def test_a_policy_that_makes_others_is_found_out(bench: Workbench) -> None:
    mine = bench.folder / "mine.py"
    mine.write_text(MINE.replace("0.3 * steps", "0.4 * steps"))
    try:
        ended = bench.entropilot("replay", "lab", *ALLOWED)
    finally:
        mine.write_text(MINE)
    assert ended.code != 0
    assert "4 of 12 decisions identical" in ended.out, ended


def test_why_tells_how_a_candidate_came_about_and_asks_again(bench: Workbench) -> None:
    ended = bench.entropilot("why", "lab", "4", "--no-figure", *ALLOWED)
    assert (ended.code, "the same decision comes out today" in ended.out) == (0, True), ended
    assert ended.out.count("a step from") == 3, "the reason, the choice and the runner-up"
    assert "observed energy = " in ended.out


def test_what_if_answers_for_the_pool_and_for_what_joined_it(bench: Workbench) -> None:
    same = bench.entropilot("what-if", "lab", *ALLOWED, "--json")
    assert same.code == 0, same
    other = bench.entropilot("what-if", "lab", "--policy", "random", "--json")
    assert other.code == 0, other


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "lab.toml", "--policies", "mine.py:Stepping,random", "--seeds", "1"),
        ("shadow", "lab.toml", "--policy", "mine.py:Stepping", "--campaign", "beside"),
    ],
)
def test_who_has_no_lab_refuses_a_policy_that_makes_candidates(bench: Workbench, command: tuple[str, ...]) -> None:
    ended = bench.entropilot(*command, "--budget", "3")
    assert ended.code == 2, ended
    assert "makes candidates of its own, and nobody measures them here" in ended.err


def test_a_candidate_that_cannot_join_ends_the_campaign_and_a_corrected_policy_goes_on(bench: Workbench) -> None:
    command = ("run", "lab.toml", *OWN, "--campaign", "wrong", "--budget", "3")
    mine = bench.folder / "mine.py"
    mine.write_text(MINE.replace('family=""', 'family="amorphous"'))
    try:
        ended = bench.entropilot(*command)
    finally:
        mine.write_text(MINE)
    assert ended.code != 0
    assert "its family 'amorphous' is none of the pool's (cubic, hexagonal, trigonal)" in ended.err, ended
    assert bench.count("DecisionMade", "wrong") == 0
    ended = bench.entropilot(*command, "--resume")
    assert ended.code == 0, ended
    assert len(decided(bench, "wrong")) == 3


OPERATOR = """
[[operator]]
at = 2
action = "add_candidates"
reason = "worth a look"
[[operator.candidates]]
candidate_id = "m-new"
family = "cubic"
features = [0.1, 0.2]
origin = "seen in a talk"
[[operator]]
at = 4
action = "add_candidates"
[[operator.candidates]]
candidate_id = "m-alien"
family = "amorphous"
features = [0.1, 0.2]
"""


def test_what_an_operator_adds_is_measured_and_what_cannot_join_is_refused_by_name(bench: Workbench) -> None:
    (bench.folder / "steered.toml").write_text((bench.folder / "lab.toml").read_text() + OPERATOR)
    own = ("--policy", "mine.py:Newest", *OWN[2:], "--campaign", "steered", "--set", "campaign.parallel=1")
    ended = bench.entropilot("run", "steered.toml", *own, *SLOW)
    assert ended.code == 0, ended
    assert bench.rows("SELECT family FROM observation WHERE candidate_id = 'm-new'", "steered") == [("cubic",)]
    ((refused,),) = bench.rows("SELECT payload FROM journal WHERE kind = 'ControlRefused'", "steered")
    why = json.loads(refused)["why"]
    assert "add_candidates: new candidate 'm-alien': its family 'amorphous' is none of the pool's" in why
    assert bench.count("CandidatesAdded", "steered") == 1
    for command in ("verify", "report"):
        assert bench.entropilot(command, "steered").code == 0
    replayed = bench.entropilot("replay", "steered", *ALLOWED, "--json")
    assert json.loads(replayed.out)["identical"] == 12, replayed
    other = bench.entropilot("what-if", "steered", "--policy", "mine.py:Newest", *ALLOWED, "--json")
    assert other.code == 0, other
    told = json.loads(other.out)
    assert (told["known"], told["unknown"], told["shared"]) == (12, 0, 12), other


MOLECULES = """
name = "edits"
[pool]
path = "molecules.csv"
[pool.columns]
smiles = "smiles"
family = "kind"
property = "dipole_moment"
unit = "D"
features = ["e_mmff", "mu_mmff", "mu_gast"]
valid_range = [0, 20]
on_missing = "unknown"
[campaign]
budget = 12
policy = "molecule_edits"
evaluation_deadline_s = 250
request_timeout_s = 280
[campaign.policy_options]
threshold = 4.0
heavy_atoms = 4
parents = 2
[simulator]
evaluator = "molecules"
"""

PARENTS = {"C": 0.0, "CO": 1.70, "CN": 1.31, "C=O": 2.33}
"""SMILES -> dipole moment [D]."""


@needs_xtb
def test_edits_of_four_small_molecules_are_measured_and_the_agent_learns_from_them(bench: Workbench) -> None:
    (bench.folder / "edits.toml").write_text(MOLECULES)
    lines = [f"smiles,kind,dipole_moment,{','.join(FEATURE_NAMES)}"]
    for (smiles, value), features in zip(PARENTS.items(), molecule_features(list(PARENTS)).tolist(), strict=True):
        lines.append(f"{smiles},organic,{value},{','.join(map(repr, features))}")
    (bench.folder / "molecules.csv").write_text("\n".join(lines) + "\n")
    ended = bench.entropilot("run", "edits.toml", "--quiet")
    assert ended.code == 0, ended
    made = decided(bench, "edits")
    origins = [new["origin"] for each in made for new in each["added"]]
    assert len(made) == 12
    assert all(" in place of a hydrogen on atom " in origin for origin in origins)
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'ResultAccepted'", "edits")
    found = [json.loads(row[0]) for row in rows]
    assert {each["provenance"]["method"].split()[0] for each in found} == {"GFN2-xTB"}
    summary = bench.summary("edits")
    after = {row["name"]: row["value"] for row in summary["after"]["declared"]}
    assert after["largest"] > 4.0, "no molecule of the start set reaches it"
    assert after["hits"] >= 3
    assert "random" not in summary or summary["random"] is None
    with (bench.runs / "edits" / "found.csv").open(newline="") as file:
        changes = [row["change"] for row in csv.DictReader(file)]
    assert len(changes) == after["hits"]
    assert set(changes) <= set(origins)
    for command in ("verify", "report"):
        assert bench.entropilot(command, "edits").code == 0
    replayed = bench.entropilot("replay", "edits", "--json")
    assert json.loads(replayed.out)["identical"] == 12, replayed
    why = bench.entropilot("why", "edits", "11", "--no-figure")
    assert "in place of a hydrogen on atom" in why.out
    assert "the same decision comes out today" in why.out, why
