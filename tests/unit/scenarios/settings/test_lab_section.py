"""A `[lab]` section is checked when its scenario is loaded: what is wrong is told with its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.mapping.faults import MappingError
from scenarios.run.request import RunRequest, require_answers
from scenarios.settings.lab_section import compiled_lab, facts_of, place_of
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, layered_over, load_scenario

HEAD = """name = "mine"
[pool]
path = "mine.csv"
[pool.columns]
family = "system"
property = "strength"
unit = "MPa"
features = ["temperature"]
[campaign]
budget = 10
"""
LAB = """[lab.instruments]
furnace = "F1"
[lab.request]
topic = "lab/{instrument}/run"
fields = { job = "attempt_id" }
[lab.result]
topic = "lab/{instrument}/done"
id = "job"
[lab.result.quantities.strength]
value = "value"
unit = "kPa"
"""


def loaded(folder: Path, lab: str = LAB, *assignments: str, head: str = HEAD) -> Scenario:
    path = folder / "mine.toml"
    path.write_text(head + lab)
    (folder / "mine.csv").write_text("system,strength,temperature\na,1.0,2.0\n")
    return load_scenario(str(path), Overrides(assignments=assignments), {}).settings


def refused(folder: Path, lab: str, *assignments: str, head: str = HEAD) -> str:
    with pytest.raises(SettingsError) as error:
        loaded(folder, lab, *assignments, head=head)
    return str(error.value)


def test_a_sound_section_names_whom_requests_are_for(tmp_path: Path) -> None:
    scenario = loaded(tmp_path)
    assert scenario.recipients == ("furnace",)
    mapping = compiled_lab(scenario)
    assert mapping is not None
    assert mapping.subscriptions == ("lab/+/done",)
    facts = facts_of(scenario)
    assert (facts.campaign, facts.units, facts.features) == ("mine", {"strength": "MPa"}, None)


def test_a_scenario_without_one_has_none(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, "")
    assert (scenario.lab, compiled_lab(scenario)) == (None, None)


@pytest.mark.parametrize(
    ("change", "line", "words", "action"),
    [
        (("lab/{instrument}/run", "lab/{instrumnt}/run"), 14, "lab.request.topic", "did you mean 'instrument'?"),
        (('"attempt_id"', '"attemptid"'), 15, "lab.request.fields.job", "did you mean 'attempt_id'?"),
        (('unit = "kPa"', 'unit = "kelvin"'), 21, "lab.result.quantities.strength.unit", "correct the unit"),
        (("quantities.strength", "quantities.strenght"), 20, "lab.result.quantities", "did you mean 'strenght'?"),
        (('id = "job"', 'correlate_by = "source_id"'), 17, "lab.result.id", "set id to where"),
        (("lab/{instrument}/done", "lab/{instrument}/run"), 14, "we would hear ourselves", "topics of their own"),
        (('id = "job"', 'ids = "job"'), 18, "There is no setting lab.result.ids", "use lab.result.id"),
        (('topic = "lab/{instrument}/done"', "qos = 1"), 17, "There is no setting lab.result.qos", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_what_to_do(
    change: tuple[str, str], line: int, words: str, action: str, tmp_path: Path
) -> None:
    assert change[0] in LAB
    found = refused(tmp_path, LAB.replace(*change))
    assert words in found
    assert f"mine.toml, line {line}" in found
    assert action in found


def test_what_a_command_line_says_is_told_as_such(tmp_path: Path) -> None:
    assert "(from --set lab.request.topic)" in refused(tmp_path, LAB, "lab.request.topic='lab/+'")


def test_an_instrument_that_nobody_asks_is_told(tmp_path: Path) -> None:
    found = refused(tmp_path, LAB, 'campaign.recipients=["other"]')
    assert "lab.instruments.furnace" in found
    assert "nobody asks it" in found
    assert "our own messages" in refused(tmp_path, LAB, 'campaign.recipients=["any"]')


def test_signatures_cannot_be_required_of_a_lab_that_knows_none(tmp_path: Path) -> None:
    assert "exclude each other" in refused(tmp_path, LAB, "campaign.require_signatures=true")


def test_a_run_plays_no_lab_that_is_elsewhere(tmp_path: Path) -> None:
    request = RunRequest(loaded(tmp_path), None, "mine", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="entropilot agent"):
        require_answers(request)


def test_without_lines_what_is_wrong_is_still_told(tmp_path: Path) -> None:
    scenario = loaded(tmp_path)
    assert scenario.lab is not None
    broken = scenario.lab.model_copy(update={"request": scenario.lab.request.model_copy(update={"topic": "a/+"})})
    with pytest.raises(MappingError, match=r"lab\.request\.topic: topic 'a/\+' has a wildcard"):
        compiled_lab(scenario.model_copy(update={"lab": broken}))


def test_a_recorded_lab_may_be_played_with_other_settings_than_it_could_be_asked_with(tmp_path: Path) -> None:
    alone = LAB.replace('id = "job"', 'correlate_by = "only"')
    scenario = loaded(tmp_path, alone, "campaign.parallel=1")
    assert "campaign.parallel is 2" in refused(tmp_path, alone, "campaign.parallel=2")
    overrides = Overrides(assignments=("campaign.parallel=2",))
    assert layered_over(scenario, "the recording", overrides).campaign.parallel == 2


def test_the_place_of_a_setting_is_its_own_or_that_of_what_is_around_it() -> None:
    source_of = {"lab.result.id": "default", "lab.result.topic": "lab.toml, line 7", "lab.own_topics": "default"}
    assert place_of(("result", "topic"), source_of) == "from lab.toml, line 7"
    assert place_of(("result", "id"), source_of) == "from lab.toml, line 7"
    assert place_of(("own_topics",), {"lab.own_topics": "default"}) == ""
