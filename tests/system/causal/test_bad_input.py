"""Bad input of causal campaigns: what cannot be is told before anything is made, and what can be played is played."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scenarios.settings.library import LIBRARY
from tests.support.commands import Workbench

pytestmark = pytest.mark.system

DESIGNS = LIBRARY / "benzenes_designs.csv"
FEATURES = LIBRARY / "benzenes_features.csv"

ESTIMATE = "campaign.policy_options.estimate="
FEATURE_TABLE = "pool.features.path=features.csv"
FEW = ("--budget", "12")

SETTINGS, TABLE = 2, 3
"""Exit codes by what is to be fixed (`protocols.errors`)."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with Workbench(tmp_path_factory.mktemp("bad")) as opened:
        yield opened


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def features(make: Callable[[dict[str, str]], dict[str, str]]) -> Callable[[Path], None]:
    """Write a table of features, a row a molecule, made of its row in the library."""
    return lambda folder: write(
        folder / "features.csv", [{"smiles": row["smiles"], **make(row)} for row in rows_of(FEATURES)]
    )


DIPOLES = {row["smiles"]: row["dipole"] for row in rows_of(DESIGNS)}

dipoles = features(lambda row: {"dipole": DIPOLES[row["smiles"]]})
dipoles_by_another_name = features(lambda row: {"size": row["e_mmff"], "mu": DIPOLES[row["smiles"]]})
constant = features(lambda _row: {"a": "1", "b": "2"})
collinear = features(
    lambda row: {"a": row["mu_mmff"], "b": repr(2 * float(row["mu_mmff"])), "c": repr(3 - float(row["mu_mmff"]))}
)
wide = features(lambda row: {f"x{k}": repr(float(row["e_mmff"]) ** (k % 3) * (-1) ** k + k) for k in range(300)})


def few_designs(folder: Path) -> None:
    """A closure of three groups: 27 designs of 12 molecules."""
    groups = {"H", "F", "Cl"}
    write(folder / "designs.csv", [row for row in rows_of(DESIGNS) if {row["x"], row["y"]} <= groups])


def no_designs(folder: Path) -> None:
    (folder / "designs.csv").write_text(DESIGNS.read_text().splitlines()[0] + "\n")


def empty_log(folder: Path) -> None:
    (folder / "log.csv").write_text("x,position,dipole\n")


def nothing(_folder: Path) -> None:
    pass


REFUSED: dict[str, tuple[Callable[[Path], None], tuple[str, ...], int, tuple[str, ...]]] = {
    "the property stands in the table of features": (
        dipoles, ("--set", FEATURE_TABLE, "--set", 'pool.features.columns=["dipole"]'),
        TABLE, ("'dipole' is a measured property", "pool.features.columns"),
    ),
    "nothing but the property stands in it": (
        dipoles, ("--set", FEATURE_TABLE), TABLE, ("No column", "matches '*'", "takes no measurement"),
    ),
    "a feature is the property by another name": (
        dipoles_by_another_name, ("--set", FEATURE_TABLE),
        TABLE, ("'mu' is the measured property 'dipole' by another name", "all 210 values"),
    ),
    "the property is a factor": (
        nothing, ("--set", 'pool.columns.factors=["x", "dipole"]'), SETTINGS, ("'dipole' is a measured property",),
    ),
    "an estimate that does not vary": (
        constant, ("--set", FEATURE_TABLE, "--set", f"{ESTIMATE}a"), SETTINGS, ("'a' is 1 for every candidate",),
    ),
    "an estimate that is not there, among many features": (
        wide, ("--set", FEATURE_TABLE), SETTINGS, ("no feature 'mu_mmff'", "x29 and 270 more"),
    ),
    "an estimate that is misspelt": (nothing, ("--set", f"{ESTIMATE}mu_mff"), SETTINGS, ("did you mean 'mu_mmff'?",)),
    "vectors without an estimate": (
        nothing, ("--set", f'{ESTIMATE}""', "--set", "campaign.policy_options.model=vectors"),
        SETTINGS, ("'vectors' has no estimate",),
    ),
    "a threshold that is no number": (
        nothing, ("--set", "campaign.policy_options.threshold=inf"), SETTINGS, ("threshold is inf",),
    ),
    "a table without designs": (no_designs, ("--set", "pool.path=designs.csv"), TABLE, ("has no rows",)),
    "a log without rows": (empty_log, ("--set", "pool.log.path=log.csv"), TABLE, ("log.csv has no rows",)),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "arguments", "code", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_told_before_anything_is_made(
    bench: Workbench,
    prepare: Callable[[Path], None],
    arguments: tuple[str, ...],
    code: int,
    words: tuple[str, ...],
) -> None:
    prepare(bench.folder)
    ended = bench.entropilot("run", "substituted_benzenes", "--campaign", "refused", "--quiet", *FEW, *arguments)
    assert ended.code == code, ended
    assert ended.err.count("error: ") == 1
    assert "  expected: " in ended.err or "  what to do: " in ended.err
    for word in words:
        assert word in ended.err, ended.err
    assert not (bench.runs / "refused").exists()


def test_a_target_that_the_equations_do_not_mean_is_told_with_the_one_that_they_do(bench: Workbench) -> None:
    ended = bench.entropilot("run", "synthetic_scm", "--campaign", "refused", "--set", "campaign.property=x1")
    assert ended.code == SETTINGS, ended
    assert "the interventions are on 'y'" in ended.err
    assert "the campaign wants 'x1'" in ended.err
    assert not (bench.runs / "refused").exists()


def test_rows_cannot_be_held_out_of_designs(bench: Workbench) -> None:
    ended = bench.entropilot("compare", "substituted_benzenes", "--seeds", "1", "--downstream", "--policies", "causal")
    assert ended.code == SETTINGS, ended
    assert "No rows can be held out of a pool of designs" in ended.err
    assert "without --downstream" in ended.err


@pytest.mark.parametrize("policy", ["causal", "expected_improvement", "target_mean", "d_optimal"])
@pytest.mark.parametrize("prepare", [constant, collinear, wide], ids=["constant", "collinear", "more than rows"])
def test_features_that_tell_nothing_new_are_played_to_the_end(
    bench: Workbench, policy: str, prepare: Callable[[Path], None]
) -> None:
    prepare(bench.folder)
    campaign = f"played-{len(list(bench.folder.glob('runs/*')))}"
    options = ("--policy", policy, "--set", FEATURE_TABLE) + (("--set", f'{ESTIMATE}""') if policy == "causal" else ())
    ended = bench.entropilot("run", "substituted_benzenes", "--campaign", campaign, "--json", *FEW, *options)
    assert ended.code == 0, ended
    told = json.loads(ended.out)
    assert (told["spent"], told["stopped_because"]) == (12, "the budget is spent")
    assert bench.entropilot("verify", campaign).code == 0


def test_a_threshold_that_nothing_reaches_gives_no_hits_and_every_choice_says_that_none_is_likely(
    bench: Workbench,
) -> None:
    options = ("--set", "campaign.policy_options.threshold=29", "--set", "campaign.policy_options.width=9")
    ended = bench.entropilot(
        "run", "substituted_benzenes", "--campaign", "unreached", "--json", "--budget", "15", *options
    )
    assert ended.code == 0, ended
    declared = {row["name"]: row["value"] for row in json.loads(ended.out)["after"]["declared"]}
    assert declared["hits"] == 0
    why = " ".join(bench.entropilot("why", "unreached", "last", "--no-figure").out.split())
    assert "nothing is likely to exceed 29" in why


def test_a_campaign_that_runs_out_of_candidates_ends_and_says_so(bench: Workbench) -> None:
    few_designs(bench.folder)
    options = ("--budget", "50", "--set", "pool.path=designs.csv", "--json")
    ended = bench.entropilot("run", "substituted_benzenes", "--campaign", "few", *options)
    assert ended.code == 0, ended
    told = json.loads(ended.out)
    assert (told["spent"], told["stopped_because"]) == (12, "no candidate is left")


WITHOUT_EXTRAS = "import sys; sys.modules.update(dict.fromkeys(('rdkit', 'tblite', 'pyscf')))"
"""Lets Python find none of the optional packages, as where they are not installed."""


@pytest.fixture
def plain(bench: Workbench) -> Iterator[dict[str, str]]:
    """The environment of an installation without extras."""
    folder = bench.folder / "plain"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT_EXTRAS)
    yield {"PYTHONPATH": str(folder)}
    shutil.rmtree(folder)


def test_the_benzenes_run_from_their_table_without_chemistry_packages(bench: Workbench, plain: dict[str, str]) -> None:
    command = ("run", "substituted_benzenes", "--campaign", "plain", *FEW)
    ended = bench.entropilot(*command, "--json", env=plain)
    assert ended.code == 0, ended
    assert "rdkit is not installed" in ended.err
    assert json.loads(ended.out)["spent"] == 12
    assert bench.entropilot("verify", "plain").code == 0  # with the packages: the molecules have the same names


def test_a_lab_that_needs_them_is_refused_with_the_extra_that_brings_them(
    bench: Workbench, plain: dict[str, str]
) -> None:
    command = ("run", "substituted_benzenes", "--campaign", "lab", *FEW, "--set", "simulator.evaluator=molecules")
    ended = bench.entropilot(*command, "--quiet", env=plain)
    assert ended.code == SETTINGS, ended
    assert "pip install 'entropilot[molecules]'" in ended.err
