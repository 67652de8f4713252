"""The folder of a shadow: what was heard is its memory, and every line that does not fit it is made again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from agent.acquisition.registry import make_policy
from protocols.errors import StoreError
from protocols.link.transport import Delivery
from protocols.recording import end as recording_end
from protocols.recording.reader import check_recording
from scenarios.listing.listing import run_json
from scenarios.listing.recordings import list_recordings
from scenarios.settings.model import Scenario
from scenarios.shadow.choices import LabChoice, compare_choice
from scenarios.shadow.files import ShadowFiles, open_shadow
from scenarios.shadow.lab_campaign import Shadow
from scenarios.shadow.outcome import gaps_before, read_shadow, write_outcome
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RunPath
from scenarios.world.world import World, build_world
from tests.support.campaigns import NOW, quantity
from tests.support.samples.heard import request, result
from tests.support.table_run import table_scenario


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lab-shadow"


@pytest.fixture
def scenario(folder: Path) -> Scenario:
    return table_scenario(folder, budget=5, policy="random")


@pytest.fixture
def world(scenario: Scenario) -> World:
    return build_world(scenario)


def messages(world: World, count: int) -> list[tuple[str, bytes]]:
    """What a lab says that measures the first candidates that are left."""
    left = [index for index in range(len(world.pool)) if index not in world.start][:count]
    names = [(world.pool.candidate_ids[index], float(world.values[index])) for index in left]
    return [
        message
        for number, (name, value) in enumerate(names)
        for message in (
            request(name, number, properties=("energy",), sent_at=NOW),
            result(name, "", quantity(value, name="energy", unit="eV")),
        )
    ]


def listen(files: ShadowFiles, world: World, said: list[tuple[str, bytes]]) -> Shadow:
    """Do what `scenarios.shadow.listener` does, without a link."""
    shadow = Shadow(world.pool, files.plan, files.start_set)
    policy = make_policy(files.plan.policy, files.plan.policy_options)

    def ask(choices: tuple[LabChoice, ...]) -> None:
        for choice in choices:
            if not files.recall(choice):
                proposal = policy.propose(choice.context, len(choice.candidate_ids))
                files.add(compare_choice(choice, proposal, files.plan, world.pool))

    for row in files.heard():
        ask(shadow.on_message(row.topic, row.payload))
    for topic, payload in said:
        files.record(Delivery(topic, payload, retain=False, qos=1, ack_token=None))
        ask(shadow.on_message(topic, payload))
    ask(shadow.finish())
    return shadow


def followed(folder: Path, scenario: Scenario, world: World, said: list[tuple[str, bytes]], *, resume: bool) -> Shadow:
    with open_shadow(folder, scenario, world, campaign="demo", resume=resume) as files:
        shadow = listen(files, world, said)
        write_outcome(files, shadow, scenario.name)
        return shadow


def test_resumed_in_the_middle_it_writes_the_same_lines_and_asks_nothing_twice(
    folder: Path, scenario: Scenario, world: World
) -> None:
    said = messages(world, 5)
    followed(folder.with_name("whole"), scenario, world, said, resume=False)
    followed(folder, scenario, world, said[:5], resume=False)
    assert followed(folder, scenario, world, said[5:], resume=True).is_over
    lines = [(each / "shadow.jsonl").read_bytes() for each in (folder, folder.with_name("whole"))]
    assert lines[0] == lines[1]
    assert check_recording(folder / "recording.jsonl").problem == ""


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text[:-7],
        lambda text: "\n".join(text.split("\n")[:2]) + "\n",
        lambda text: text.replace('"number": 1,', '"number": 7,'),
        lambda text: text.replace('"lab": ["', '"lab": ["x', 1),
        lambda _text: "",
    ],
    ids=["torn", "shorter", "misnumbered", "of another choice", "empty"],
)
def test_lines_that_do_not_fit_what_was_heard_are_made_again(
    folder: Path, scenario: Scenario, world: World, harm: object
) -> None:
    followed(folder, scenario, world, messages(world, 5), resume=False)
    path = folder / "shadow.jsonl"
    text = path.read_text()
    assert callable(harm)
    path.write_text(harm(text))
    followed(folder, scenario, world, [], resume=True)
    assert path.read_text() == text


def test_lines_beyond_what_was_heard_are_dropped(folder: Path, scenario: Scenario, world: World) -> None:
    said = messages(world, 4)
    followed(folder, scenario, world, said, resume=False)
    recording = folder / "recording.jsonl"
    recording.write_text("".join(recording.read_text().splitlines(keepends=True)[:4]))
    followed(folder, scenario, world, said[5:], resume=True)
    lines = (folder / "shadow.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(len(lines)))


def test_what_was_heard_holds_no_notes_and_is_not_searched_for_them(
    folder: Path, scenario: Scenario, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = messages(world, 2)
    followed(folder, scenario, world, said[:2], resume=False)
    monkeypatch.delattr(recording_end, "_last_note")
    followed(folder, scenario, world, said[2:], resume=True)


def test_a_start_set_is_kept_even_if_the_labs_table_has_grown(folder: Path, scenario: Scenario, world: World) -> None:
    followed(folder, scenario, world, messages(world, 1), resume=False)
    values = world.values.copy()
    values[world.start[0]] += 1.0
    grown = World(world.pool, values, world.start)
    with open_shadow(folder, scenario, grown, campaign="demo", resume=True) as files:
        assert dict(zip(files.start_set.candidate_ids, files.start_set.values, strict=True)) == dict(
            world.start_observations()
        )


def test_a_decision_that_was_never_filled_counts_and_is_made_again_whole_when_more_of_it_is_heard(
    folder: Path, world: World
) -> None:
    scenario = table_scenario(folder, budget=6, policy="random", batch=3, parallel=3)
    said = messages(world, 6)
    requests = [(topic, payload.replace(b'"decision":1', b'"decision":0')) for topic, payload in said[:4:2]]
    first, rest = [*requests, said[1], said[3]], [(said[4][0], said[4][1].replace(b'"decision":2', b'"decision":0'))]
    whole = folder.with_name("whole")
    followed(whole, scenario, world, [*first, *rest], resume=False)
    followed(folder, scenario, world, first, resume=False)
    told = read_shadow(folder / "shadow.json")
    assert (told.decisions, told.not_asked, told.chosen, told.results) == (1, 0, 2, 2)
    followed(folder, scenario, world, rest, resume=True)
    for name in ("shadow.jsonl", "shadow.csv", "shadow.json", "trajectory.csv"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    assert read_shadow(folder / "shadow.json").chosen == 3


def test_what_does_not_belong_to_it_is_refused_by_name(folder: Path, scenario: Scenario, world: World) -> None:
    def refused(words: str, scenario: Scenario = scenario, *, resume: bool = True, campaign: str = "demo") -> None:
        with (
            pytest.raises(StoreError, match=words),
            open_shadow(folder, scenario, world, campaign=campaign, resume=resume),
        ):
            pass

    refused("no shadow to resume")
    with open_shadow(folder, scenario, world, campaign="demo", resume=False):
        refused("Another shadow", resume=False)
    with open_shadow(folder, scenario, world, campaign="demo", resume=False):
        pass  # one that heard nothing is begun again
    followed(folder, scenario, world, messages(world, 1), resume=False)
    refused("heard already", resume=False)
    refused("campaign: 'demo' then, 'other' now", campaign="other")
    refused("seed: 3 then, 4 now", table_scenario(folder, budget=5, policy="random", seed=4))
    with open_shadow(folder, table_scenario(folder, budget=9, policy="random"), world, campaign="demo", resume=True):
        pass  # how many choices it follows may change
    (folder / "campaign.db").touch()
    refused("is the folder of a run")


def test_the_outcome_is_read_back_and_its_table_has_a_row_for_each_choice(
    folder: Path, scenario: Scenario, world: World
) -> None:
    followed(folder, scenario, world, messages(world, 5), resume=False)
    summary = read_shadow(folder / "shadow.json")
    assert (summary.chosen, summary.results, summary.gaps) == (5, 5, 0)
    assert gaps_before(folder) == 0
    found = identify("lab-shadow", folder.parent, RunPath)
    assert (found.path, found.is_shadow) == (folder, True)
    assert json.loads(run_json(folder))["chosen"] == 5
    (listed,) = (each for each in list_recordings(folder.parent) if each.kind == "run")
    assert listed.status == f"a shadow: {summary.same} of 5 choices of the lab are the same"
    with (folder / "shadow.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["decision"] for row in rows] == list("01234")
    assert all(row["lab_value"] and row["lab_family"] and row["shadow"] and row["seed"] for row in rows)
    (folder / "shadow.json").write_text('{"format": 1}')
    with pytest.raises(StoreError, match="tells of no shadow"):
        read_shadow(folder / "shadow.json")
