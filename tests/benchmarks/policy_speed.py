"""What a decision of each policy costs, beside another version of this project: processor time, ratios of one run.

    python -m tests.benchmarks.policy_speed [--beside ../speed-base] [--tables emt_alloys,20000,100000]
        [--policies etal/1,etal/4,uncertainty/1] [--seeds 2] [--decisions 100] [--json FILE]

A case is a policy and how many requests are in flight with the one that it chooses (`etal/4`: three are pending, as
four evaluate in parallel). Campaigns are played without ledger and lab: observed, pending and available are what
matters to a policy. Both versions get the same tables, start sets, seeds and rules, in processes of their own with one
thread, and take turns; so load of the machine meets both. `--beside` names a checkout of the other version; without
it, this one alone is measured.

| column | what it is |
|---|---|
| mean, median, p99, max | processor time of one decision [ms] |
| range, mean gap | of the entropies of the families at the end [nat]: what the decisions were good for |
| same | part of the decisions that chose the same candidates as the other version, up to the first that did not |
| × of one | median as a multiple of that of the same policy with nothing else in flight |
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

HERE: Final = Path(__file__).resolve().parents[2]
DEFAULT_CASES: Final = "gap_gain/1,gap_gain/4,etal/1,etal/4,uncertainty/1"

START_ROWS: Final = 150
"""As in the default run."""


@dataclass(frozen=True)
class Case:
    """One campaign to play."""

    table: str
    policy: str
    parallel: int
    seed: int
    decisions: int


def write_tables(folder: Path, names: list[str]) -> None:
    """Write each table once, so that both versions read the same numbers."""
    for name in names:
        features, codes, families, values = _emt_alloys() if name == "emt_alloys" else _synthetic(int(name))
        np.savez(folder / f"{name}.npz", features=features, codes=codes, families=families, values=values)


def _emt_alloys() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    from scenarios.sources.scenario import Overrides, load_scenario
    from scenarios.world.world import build_world

    world = build_world(load_scenario("emt_alloys", Overrides()).settings)
    return world.pool.features, world.pool.family_codes, np.array(world.pool.families), world.values


def _synthetic(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Seven families of different spread over 16 features (32 from 50,000 candidates on)."""
    rng = np.random.default_rng(size)
    features = rng.normal(size=(size, 16 if size < 50_000 else 32))
    codes = np.arange(size) % 7
    waves = np.sin(features[:, :4]) @ np.array([1.0, 0.7, 0.5, 0.3])
    values = (waves + 0.1 * rng.normal(size=size)) * (0.5 + 0.2 * codes)
    return features, codes, np.array([f"family {code}" for code in range(7)]), values


def played(folder: Path, case: Case) -> dict[str, Any] | None:
    """Play one case in this process, with the version that is first on the path; None where it lacks the policy."""
    import scipy.linalg  # noqa: F401 - a limit on threads holds for libraries that are there when it is set
    from threadpoolctl import threadpool_limits

    from agent.acquisition.registry import make_policy
    from protocols.errors import SettingsError

    table = _read(folder, case)
    start = _start(table["codes"], table["values"], case.seed)
    try:
        policy = make_policy(case.policy, {})
    except SettingsError:
        return None
    times: list[float] = []
    chosen: list[int] = []
    with threadpool_limits(1):
        for context in _contexts(case, table, start, chosen):
            began = time.process_time()
            proposal = policy.propose(context, 1)
            times.append(time.process_time() - began)
            chosen.extend(choice.index for choice in proposal.choices)
    return {"times": times, "chosen": chosen}


def with_quality(folder: Path, case: Case, run: dict[str, Any]) -> dict[str, Any]:
    """Add what the choices were good for, by the measure of this version."""
    from agent.entropy.bias import BiasMeter

    table = _read(folder, case)
    codes, values = table["codes"], table["values"]
    start = _start(codes, values, case.seed)
    meter = BiasMeter(tuple(table["families"].tolist()), codes[start], values[start])
    for index in run["chosen"]:
        meter.add(int(codes[index]), float(values[index]))
    known = np.array([h for h in meter.point().entropies if h is not None])
    return run | {"range": float(np.ptp(known)), "gap": float((known.max() - known).mean())}


def _read(folder: Path, case: Case) -> dict[str, np.ndarray]:
    return dict(np.load(folder / f"{case.table}.npz"))


def _start(codes: np.ndarray, values: np.ndarray, seed: int) -> np.ndarray:
    """Draw a start set that lacks the upper half of the values of the first two families."""
    rng = np.random.default_rng([seed, 7])
    lacking = np.zeros(len(codes), dtype=bool)
    for code in (0, 1):
        members = codes == code
        lacking |= members & (values > np.median(values[members]))
    return np.sort(rng.choice(np.flatnonzero(~lacking), START_ROWS, replace=False))


def _contexts(case: Case, table: dict[str, np.ndarray], start: np.ndarray, chosen: list[int]) -> Iterator[Any]:
    from agent.acquisition.base import AcquisitionContext, PoolArrays

    measures = _measures()
    pool = PoolArrays((), table["features"], table["codes"], tuple(table["families"].tolist()))
    values = table["values"]
    measure = measures.EntropyMeasure(measures.M_SPACING, measures.default_resolution(values[start]))
    for decision in range(case.decisions):
        known = max(0, len(chosen) - (case.parallel - 1))
        acquired, pending = np.array(chosen[:known], dtype=np.int64), np.sort(np.array(chosen[known:], dtype=np.int64))
        observed = np.union1d(start, acquired)
        available = np.setdiff1d(np.arange(len(values)), np.union1d(observed, pending))
        seed = case.seed * 1_000_003 + decision
        yield AcquisitionContext(
            pool, observed, values[observed], acquired, pending, available, decision, seed, measure
        )  # fmt: skip


def _measures() -> Any:
    """Return the module of entropy measures, which stood elsewhere in 0.1.0."""
    try:
        return importlib.import_module("agent.entropy.measure")
    except ModuleNotFoundError:
        return importlib.import_module("agent.acquisition.measure")


def in_own_process(tree: Path, folder: Path, case: Case) -> dict[str, Any] | None:
    """Play one case with the code of a checkout; None where it does not have the policy."""
    command = [sys.executable, "-P", __file__, "--worker", json.dumps([str(tree), str(folder), case.__dict__])]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder)
    found: dict[str, Any] | None = json.loads(done.stdout)
    return with_quality(folder, case, found) if found is not None else None


def figures(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Sum up the campaigns of one policy; times in ms."""
    times = 1e3 * np.concatenate([run["times"] for run in runs])
    return {
        "mean": float(times.mean()),
        "median": float(np.median(times)),
        "p99": float(np.percentile(times, 99)),
        "max": float(times.max()),
        "range": float(np.mean([run["range"] for run in runs])),
        "gap": float(np.mean([run["gap"] for run in runs])),
    }


def same(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> float:
    """Part of the decisions before the first that differs."""
    parts = []
    for one, other in zip(ours, theirs, strict=True):
        pairs = list(zip(one["chosen"], other["chosen"], strict=False))
        parts.append(next((k for k, (a, b) in enumerate(pairs) if a != b), len(pairs)) / max(1, len(pairs)))
    return float(np.mean(parts))


def measure(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure everything, the versions by turns; print a row a case."""
    trees = {"here": HERE} | ({"beside": asked.beside.resolve()} if asked.beside else {})
    report: dict[str, Any] = {}
    print("| table | case | version | mean | median | p99 | max | range | mean gap | same | × of one |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for table in asked.tables:
        alone: dict[tuple[str, str], float] = {}
        for name in asked.policies:
            policy, parallel = name.split("/")
            runs: dict[str, list[dict[str, Any]]] = {}
            for seed in range(asked.seeds):
                for tree, path in trees.items():
                    case = Case(table, policy, int(parallel), seed, asked.decisions)
                    if run := in_own_process(path, folder, case):
                        runs.setdefault(tree, []).append(run)
            for tree, of_tree in runs.items():
                row = figures(of_tree)
                row["same"] = same(of_tree, runs["beside"]) if "beside" in runs else 1.0
                alone.setdefault((policy, tree), row["median"])
                row["times_of_one"] = row["median"] / alone[policy, tree]
                report[f"{table} {name} {tree}"] = row
                cells = (f"{row[key]:.2f}" for key in ("mean", "median", "p99", "max"))
                quality = (f"{row[key]:.3f}" for key in ("range", "gap", "same", "times_of_one"))
                print(f"| {table} | {name} | {tree} | {' | '.join((*cells, *quality))} |", flush=True)
    return report


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, help="a checkout of the version to compare with")
    parser.add_argument("--tables", type=lambda text: text.split(","), default=["emt_alloys"])
    parser.add_argument("--policies", type=lambda text: text.split(","), default=DEFAULT_CASES.split(","))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--decisions", type=int, default=100)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        tree, folder, case = json.loads(asked.worker)
        sys.path.insert(0, tree)  # before the version that is installed here
        print(json.dumps(played(Path(folder), Case(**case))))
        return
    with tempfile.TemporaryDirectory() as place:
        write_tables(Path(place), asked.tables)
        report = measure(asked, Path(place))
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
