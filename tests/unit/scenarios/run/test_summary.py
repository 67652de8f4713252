"""The summary of a run: a file that reads back, and a table that fits 80 columns."""

import dataclasses
import json
import math
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agent.entropy.best import best_of
from agent.entropy.bias import BiasPoint, evenness, joint_entropy
from agent.entropy.ceiling import Ceiling
from agent.entropy.model_skill import ModelSkill
from agent.metrics import Metric
from protocols.errors import StoreError
from protocols.tables.account import AccountEntry, Handling
from scenarios.effects.truth import AgainstTruth
from scenarios.run.summary.model import RunSummary, read_summary, write_summary
from scenarios.run.summary.table import MAX_ROWS, summary_table


def point(gap: float, families: int = 3) -> BiasPoint:
    """Families with evenly spaced entropies; the first has none."""
    names = tuple(f"family {index:02d}" for index in range(families))
    entropies = (None, *(1 - gap * index / families for index in range(1, families)))
    return BiasPoint(names, tuple(range(families)), entropies, gap, gap / 2, gap / 3, names[0], 1 - gap / 9, 0.5, -gap)


SUMMARY = RunSummary(
    campaign="demo", scenario="crystals", policy="etal", seed=4, property="formation_energy", unit="eV/atom",
    budget=200, spent=198, observations=398, abandoned=2, excluded=1, retries=3, quarantined=5, duplicates=6,
    stopped_because="the budget is spent", wall_time_s=12.5, per_second=15.9, before=point(1.0), after=point(0.25),
    random=point(0.75), best=best_of([(0, point(1.0)), (178, point(0.125)), (200, point(0.25))]),
    bands_before=(None, (-0.5, 1.5), None), bands_after=(None, (0.75, 1.0), (0.5, 0.75)),
    files=("bias.csv", "bias.png"), versions={"numpy": "2.4", "entropilot": "0.1"},
)  # fmt: skip


REACH = (
    Ceiling("family 00", None, None, None, None, 3),
    Ceiling("family 01", 0.67, 0.8, 0.7, 0.9, 12),
    Ceiling("family 02", 0.1, 0.11, 0.1, 0.12, 4),
)


def printed(summary: RunSummary) -> str:
    """The table as an 80-column log without colours shows it."""
    out = StringIO()
    Console(file=out, width=80, no_color=True, legacy_windows=False).print(summary_table(summary))
    return out.getvalue()


@pytest.mark.parametrize("reach", [REACH, ()], ids=["with ceilings", "without ceilings"])
@pytest.mark.parametrize("random", [SUMMARY.random, None], ids=["with random", "without"])
def test_a_summary_read_back_is_the_same(tmp_path: Path, random: BiasPoint | None, reach: tuple[Ceiling, ...]) -> None:
    summary = dataclasses.replace(SUMMARY, random=random, ceilings=reach, further=50)
    write_summary(tmp_path / "summary.json", summary)
    assert read_summary(tmp_path / "summary.json") == summary


def test_what_was_read_is_read_back_and_a_summary_without_it_is_too(tmp_path: Path) -> None:
    entry = AccountEntry(handling=Handling.NOTED, reason="far beyond the spread", count=3, places=("line 4", "line 9"))
    path = tmp_path / "summary.json"
    write_summary(path, dataclasses.replace(SUMMARY, reading=(entry,)))
    assert read_summary(path).reading == (entry,)
    tree = json.loads(path.read_text())
    assert tree.pop("reading")[0]["places"] == ["line 4", "line 9"]
    path.write_text(json.dumps(tree))
    assert read_summary(path) == SUMMARY


def test_what_the_policy_was_told_is_read_back_and_stands_below_the_table(tmp_path: Path) -> None:
    summary = dataclasses.replace(SUMMARY, account="It is told the answer.")
    write_summary(tmp_path / "summary.json", summary)
    assert read_summary(tmp_path / "summary.json") == summary
    assert "It is told the answer." in printed(summary)
    assert "It is told" not in printed(SUMMARY)


def declaring(half_width: float) -> BiasPoint:
    metric = Metric("half_width", "mean half-width", "half-width", "D", lower_is_better=True)
    return BiasPoint(("all",), (3,), (None,), None, None, None, "all", declared=((metric, half_width),))


CAUSAL = dataclasses.replace(
    SUMMARY,
    before=declaring(1.0), after=declaring(0.25), random=declaring(0.5), bands_before=(), bands_after=(), best=(),
    against_truth={
        "before": AgainstTruth(1.5, 1.0), "after": AgainstTruth(0.125, 0.9), "random": AgainstTruth(0.25, 0.8),
    },
)  # fmt: skip


def test_how_far_off_effects_are_is_read_back_and_stands_beside_random_s(tmp_path: Path) -> None:
    write_summary(tmp_path / "summary.json", CAUSAL)
    assert read_summary(tmp_path / "summary.json") == CAUSAL
    rows = [line.split() for line in printed(CAUSAL).splitlines()]
    assert ["error", "against", "truth", "1.500", "*0.125", "0.250"] in rows
    assert ["intervals", "holding", "it", "100%", "90%", "80%"] in rows
    assert "truth: which no policy sees" in " ".join(printed(CAUSAL).split())


def test_where_nobody_knows_the_truth_nothing_is_said_of_it() -> None:
    assert "truth" not in printed(dataclasses.replace(CAUSAL, against_truth={}))


def test_the_file_has_sorted_keys_and_families_as_objects(tmp_path: Path) -> None:
    write_summary(tmp_path / "summary.json", SUMMARY)
    text = (tmp_path / "summary.json").read_text()
    tree = json.loads(text)
    assert text == json.dumps(tree, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert tree["after"]["families"][0] == {"family": "family 00", "size": 0, "entropy": None}


def test_a_figure_that_is_not_finite_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_summary(tmp_path / "summary.json", dataclasses.replace(SUMMARY, per_second=math.nan))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 9}', '{"format": 1, "campaign": 3}'])
def test_a_file_that_is_no_summary_is_a_store_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(StoreError):
        read_summary(tmp_path / "summary.json")


def test_a_best_at_no_observation_is_a_store_error(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, SUMMARY)
    tree = json.loads(path.read_text())
    first = next(iter(tree["best"].values()))
    first["observation"] = float("inf")  # as 1e400 is read
    path.write_text(json.dumps(tree))
    with pytest.raises(StoreError):
        read_summary(path)


def test_the_table_shows_the_three_columns_and_stars_the_most_even() -> None:
    text = printed(SUMMARY)
    assert "at random" in text
    (range_line,) = (line for line in text.splitlines() if line.strip().startswith("range"))
    assert range_line.split() == ["range", "1.000", "*0.250", "0.750"]
    (evenness_line,) = (line for line in text.splitlines() if line.strip().startswith("evenness"))
    assert evenness_line.split() == ["evenness", "0.889", "*0.972", "0.917"]
    (joint_line,) = (line for line in text.splitlines() if line.strip().startswith("joint entropy"))
    assert joint_line.split() == ["joint", "entropy", "−1.000", "*−0.250", "−0.750"]
    (coverage_line,) = (line for line in text.splitlines() if line.strip().startswith("coverage"))
    assert coverage_line.split() == ["coverage", "0.500", "0.500", "0.500"]  # where all are alike, none is better
    (starved,) = (line for line in text.splitlines() if line.strip().startswith("starved"))
    assert starved.split()[2:] == ["family", "00"] * 3
    assert "stopped because the budget is spent" in text


def test_the_best_observation_stands_beside_the_last() -> None:
    text = " ".join(printed(SUMMARY).split())
    assert "best: mean gap 0.042 nat at observation 178, 0.083 now; range 0.125 nat at observation 178," in text
    assert "joint entropy −0.125 nat at observation 178, −0.250 now" in text


def test_evenness_that_costs_joint_entropy_beside_random_is_told_under_the_stars() -> None:
    poorer = dataclasses.replace(SUMMARY, after=dataclasses.replace(SUMMARY.after, joint_entropy=-0.875))
    text = printed(poorer)
    assert "its evenness has a price: joint entropy −0.875 nat, −0.750 at random" in text
    assert "price" not in printed(SUMMARY)


def test_what_holds_of_the_mean_gap_at_the_end_is_told() -> None:
    even = dataclasses.replace(SUMMARY, found="even since observation 117: the mean gap is 0.031 nat")
    assert "even since observation 117: the mean gap is 0.031 nat" in printed(even)


def test_a_campaign_that_ended_worse_than_it_began_says_so_at_the_top() -> None:
    worse = dataclasses.replace(SUMMARY, after=point(1.5))
    first = " ".join(printed(worse).split())
    assert first.startswith("worse than it began: mean gap 0.333 → 0.500 nat; range 1.000 → 1.500 nat; joint entropy")
    assert "worse than it began" not in printed(SUMMARY)
    cheap = dataclasses.replace(SUMMARY, after=dataclasses.replace(SUMMARY.after, joint_entropy=-2.0))
    assert printed(cheap).startswith("worse than it began: joint entropy −1.000 → −2.000 nat")


def test_results_that_contradict_the_journal_are_told_below_the_table(tmp_path: Path) -> None:
    lines = ("furnace says that c001 is energy = 2.5 eV, and that contradicts", "another one")
    told = dataclasses.replace(SUMMARY, contradictions=7, contradicted=lines)
    write_summary(tmp_path / "summary.json", told)
    assert read_summary(tmp_path / "summary.json") == told
    text = " ".join(printed(told).split())
    assert f"7 results contradicted what the journal holds, which stays: {lines[0]} {lines[1]} … and 5 more" in text
    assert "contradicted" not in printed(SUMMARY)


def test_the_best_is_kept_with_its_regret_and_a_summary_without_it_is_read(tmp_path: Path) -> None:
    write_summary(tmp_path / "summary.json", SUMMARY)
    tree = json.loads((tmp_path / "summary.json").read_text())
    assert tree["best"]["entropy_range"] == {"observation": 178, "value": 0.125, "regret": 0.125}
    del tree["best"]
    (tmp_path / "summary.json").write_text(json.dumps(tree))
    assert read_summary(tmp_path / "summary.json") == dataclasses.replace(SUMMARY, best=())


def test_an_entropy_has_half_the_width_of_its_band_beside_it() -> None:
    (line,) = (line for line in printed(SUMMARY).splitlines() if line.strip().startswith("family 01"))
    assert line.split()[-7:] == ["0.667", "±", "1.000", "0.917", "±", "0.125", "0.750"]


def test_the_table_tells_what_the_families_could_have_and_who_cannot_be_helped() -> None:
    text = " ".join(printed(dataclasses.replace(SUMMARY, ceilings=REACH, further=50)).split())
    assert "family 02: 0.10 now, 0.11 ± 0.01 at most; family 01: 0.67 now, 0.80 ± 0.10 at most" in text
    assert "family 02 cannot be helped: 0.10 nat now, 0.12 at the very most; of its gap of 0.57 nat 0.55 stays" in text


def test_a_summary_of_an_earlier_version_is_read_and_its_missing_figures_follow_from_the_others(tmp_path: Path) -> None:
    write_summary(tmp_path / "summary.json", dataclasses.replace(SUMMARY, bands_before=(), bands_after=()))
    tree = json.loads((tmp_path / "summary.json").read_text())
    for moment in ("before", "after", "random"):
        del tree[moment]["evenness"], tree[moment]["joint_entropy"], tree[moment]["coverage"]
        assert "entropy_low" not in str(tree[moment])
    (tmp_path / "summary.json").write_text(json.dumps(tree))
    after = read_summary(tmp_path / "summary.json").after
    assert after.evenness == evenness(after.entropies)
    assert after.coverage == 0.0
    assert after.joint_entropy == joint_entropy(after.sizes, after.entropies)


def test_the_time_of_a_campaign_that_was_resumed_is_told_with_the_results_of_that_time() -> None:
    grown = dataclasses.replace(SUMMARY.after, sizes=(10, 11, 12))  # of 0, 1, 2
    summary = dataclasses.replace(SUMMARY, after=grown, observations=33)
    for here, told in ((30, "in 12.5 s, 15.9 results/s;"), (8, "(since it was resumed: 8 results in 12.5 s")):
        assert told in " ".join(printed(dataclasses.replace(summary, accepted_here=here)).split())


def test_without_a_random_run_there_is_no_column_for_it() -> None:
    assert "at random" not in printed(dataclasses.replace(SUMMARY, random=None))


def test_thirty_families_are_folded_and_fit_eighty_columns() -> None:
    before, after = (((-1000.0, -900.0),) * 30 for _ in range(2))
    wide = dataclasses.replace(SUMMARY, before=point(1.0, 30), after=point(0.2, 30), random=point(0.6, 30))
    text = printed(dataclasses.replace(wide, bands_before=before, bands_after=after))
    shown = [line for line in text.splitlines() if line.strip().startswith("family ")]
    assert len(shown) == MAX_ROWS  # the heading, and all but the line that says how many are folded
    assert "20 families between" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_model_that_predicts_hardly_better_than_the_mean_is_told_below_the_table_and_kept(tmp_path: Path) -> None:
    blind = dataclasses.replace(SUMMARY, skills=(ModelSkill("energy", 0.25, 0.26, 80),))
    write_summary(tmp_path / "summary.json", blind)
    assert read_summary(tmp_path / "summary.json") == blind
    assert "predicts energy hardly better than the mean of each family" in " ".join(printed(blind).split())
    assert "hardly better" not in printed(SUMMARY)
