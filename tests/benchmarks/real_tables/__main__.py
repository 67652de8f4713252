"""A policy against others on real tables: bias, and models trained on what was acquired.

    python -m tests.benchmarks.real_tables [--seeds 10] [--tables oqmd8,mp3dsc,…] [--start random] [--noise 0.1]
                                           [--parallel 1] [--policies A,B,…] [--out runs/real-tables]

| table | property | families | features | start set lacks |
|---|---|---|---|---|
| emt_alloys | formation energy (EMT) | crystal system | structure | unstable tetragonal, trigonal; stable orthorhombic |
| oqmd8 | formation energy (DFT) | crystal system | composition, volume, atoms | the same |
| mp3dsc | formation energy (DFT) | crystal system | composition, volume, density | the same |
| jcfid | formation energy (DFT) | chemical category | published embeddings | unstable metals; stable oxides, S/Se/Te |
| wbm | formation energy **predicted** by MACE (not DFT) | crystal system | two cheaper models' predictions, sites | unstable tetragonal, trigonal; stable orthorhombic |

A table that is not in `--data` is passed over, and said so. What is compared is what `entropilot compare --downstream`
compares, by the same statistics: the first policy is judged against each other, paired by seed, Holm-corrected in each
figure. Each table's files are in a folder of its own; `python -m tests.benchmarks.real_tables.page` makes the page of
the documents of all of them.
"""  # noqa: E501 - a table's rows are one line each

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich import print as show

from scenarios.compare.compare import BASELINES, compare_policies
from scenarios.compare.files import write_comparison
from scenarios.compare.tables import conclusions, tables
from scenarios.display.console import progress_on_stderr
from scenarios.settings.model import Scenario
from tests.benchmarks.published_tables import DATA
from tests.benchmarks.real_tables.report import figures_table, reached_table
from tests.benchmarks.real_tables.results import ABOUT, Result, load_results
from tests.benchmarks.real_tables.settings import Setting, played_so
from tests.benchmarks.real_tables.tables import MAKERS, MODELS


def main() -> None:
    """Play the tables that are asked for, and print what came of it."""
    asked = _arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    setting = Setting(asked.start, asked.noise, asked.parallel)
    names = asked.tables.split(",")
    for name in names:
        try:
            scenario = MAKERS[name](asked.data, asked.out)
        except FileNotFoundError as error:
            print(f"note: {name} is passed over: {error}", file=sys.stderr)
            continue
        if not asked.only_report:
            _play(name, scenario, setting, asked)
    results = [each for each in load_results(asked.out) if each.table in names and each.setting == setting]
    for each in results:
        _print_result(each)
    if results:
        print(f"\n## What must be reached\n\n{reached_table(results)}")


def _play(name: str, scenario: Scenario, setting: Setting, asked: argparse.Namespace) -> None:
    evaluation = scenario.evaluation.model_copy(update={"models": tuple(asked.models.split(","))})
    scenario = scenario.model_copy(update={"evaluation": evaluation})
    scenario = played_so(scenario, setting, asked.out, asked.budget)
    print(f"== {name}: {setting.words}", flush=True)
    with progress_on_stderr(quiet=asked.quiet) as progress:
        policies = _policies(asked.policies, scenario)
        compared = compare_policies(scenario, policies, range(asked.seeds), progress, downstream=True)
    folder = asked.out / name / setting.folder
    for path in write_comparison(compared, folder):
        print(f"  {path}")
    about = setting.about(name, compared.pool_size, scenario.campaign.budget)
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n")
    if not asked.quiet:
        for each in (*tables(compared), *conclusions(compared)):
            show(each)


def _policies(asked: str | None, scenario: Scenario) -> Sequence[str]:
    """Return the scenario's own policy, etal and the baselines, unless they are named."""
    if asked is not None:
        return [name for name in asked.split(",") if name]
    return tuple(dict.fromkeys((scenario.campaign.policy, "etal", *BASELINES)))


def _print_result(result: Result) -> None:
    print(f"\n## {result.table}: {result.setting.words}, {len(result.document['seeds'])} seeds\n")
    print(figures_table(result))
    print("\n" + "\n".join(f"- {sentence}" for sentence in result.document["sentences"]))
    print(f"\n{result.document['fair_control']}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tables", default=",".join(MAKERS))
    parser.add_argument("--policies", help="the one to judge first; by default the scenario's own, etal, the baselines")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--start", choices=("biased", "random"), default="biased")
    parser.add_argument("--noise", type=float, default=0.0, help="deviation of the noise [deviation of the property]")
    parser.add_argument("--parallel", type=int, default=4, help="requests in flight")
    parser.add_argument("--budget", type=int, help="acquisitions; by default the table's own")
    parser.add_argument("--out", type=Path, default=Path("runs/real-tables"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--quiet", action="store_true", help="no progress, and only the tables at the end")
    parser.add_argument("--only-report", action="store_true", help="print again what an earlier run left in --out")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.tables.split(",")) - set(MAKERS)):
        parser.error(f"there is no table {', '.join(unknown)}; expected some of {', '.join(MAKERS)}")
    return asked


if __name__ == "__main__":
    main()
