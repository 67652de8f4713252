"""The page "Does it work, and when does it not?" of the documents, from the results of all tables.

    python -m tests.benchmarks.real_tables.page [--out runs/real-tables] [--docs docs]

Every figure and every sentence with a figure on it comes from the files that `python -m tests.benchmarks.real_tables`
left, so that the page cannot claim what was not measured. What does not work stands before the tables.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from agent.entropy.bias import BIAS_METRICS
from tests.benchmarks.real_tables.pictures import draw_bias, draw_models
from tests.benchmarks.real_tables.report import AGAINST, markdown_row, reached_table
from tests.benchmarks.real_tables.results import Figure, Result, difference, load_results, spread
from tests.benchmarks.real_tables.settings import Setting

PAGE: Final = "benchmarks/does-it-work.md"
"""Below the documents' folder."""

NAMES: Final = {
    "emt_alloys": "generated alloys (`emt_alloys`), energies of EMT",
    "oqmd8": "OQMD-8, binary compounds (DFT)",
    "mp3dsc": "Materials Project, 3DSC (DFT)",
    "jcfid": "J-CFID by chemical category (DFT)",
    "wbm": "WBM, 5,000 of it, energies predicted by MACE (not DFT)",
}
"""What each table is."""

NOTES: Final = Path(__file__).with_name("notes.md")
"""What people say of the results: the only part that no file of theirs holds, and that has no figures."""

BIAS_SHOWN: Final = (
    "entropy_range", "entropy_std", "mean_gap", "evenness", "joint_entropy", "mean_gap_area", "mean_gap_regret",
)  # fmt: skip
"""Figures of the bias table of the first setting."""

SHOWN_OF_OTHERS: Final = ("entropy_range", "mean_gap", "joint_entropy")
"""Of the other settings, which would fill pages."""

MEAN_OF_MODELS: Final = "mean of the models"
"""All that is shown of their models."""

HEAD: Final = """# Does it work, and when does it not?

What `{judged}` does to the bias of a dataset, and to models that are trained on it, beside `etal` and `random`: on
alloys that Entropilot makes itself, and on real tables. What each figure means stands in the
[glossary](../glossary.md), how to read a verdict in [compare policies](../how-to/compare.md).

This page is made by one command from the files of the measurements, verdicts included:

```sh
make does-it-work                                     # hours; the tables must lie in ../shared/data
python -m tests.benchmarks.real_tables --noise 0.1    # one setting of it
```

With a seed, every policy has the same start set and budget, and a pool without the same held-out fifth of every
family. Differences are paired by seed and tested by exact sign flips, Holm-corrected over the other policies in each
figure; figures and tables are not corrected for each other. Brackets hold 95 % intervals; ± is the standard deviation
over seeds. *No success*: more even, with less joint entropy."""


def main() -> None:
    """Write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/real-tables"), help="where the results are")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="the documents' folder")
    asked = parser.parse_args()
    results = load_results(asked.out)
    if not results:
        raise SystemExit(f"error: no results in {asked.out}; run python -m tests.benchmarks.real_tables first")
    for path in (asked.docs / "pictures", asked.docs / PAGE):
        (path if not path.suffix else path.parent).mkdir(parents=True, exist_ok=True)
    drawn = _draw(results, asked.docs / "pictures")
    (asked.docs / PAGE).write_text(page(results, drawn), encoding="utf-8")
    print(asked.docs / PAGE, *(asked.docs / "pictures" / name for name in drawn), sep="\n")


def page(results: Sequence[Result], pictures: Sequence[str]) -> str:
    """Return the page."""
    first = results[0]
    parts = [HEAD.format(judged=first.judged)]
    parts += ["## When it works", "\n".join(_successes(results))]
    parts += ["## When it does not", "\n".join(_failures(results)), NOTES.read_text(encoding="utf-8").strip()]
    parts += ["## What a default policy must reach", reached_table(results)]
    for setting, group in groupby(results, key=lambda each: each.setting):
        is_first = setting == first.setting
        parts += _section(setting, list(group), whole=is_first)
        if is_first:
            parts += [f"![{_alt(name)}](../pictures/{name})" for name in pictures]
    return "\n\n".join(parts) + "\n"


def _section(setting: Setting, results: Sequence[Result], *, whole: bool) -> Iterator[str]:
    seeds = min(len(each.document["seeds"]) for each in results)
    yield f"## {setting.words[:1].upper()}{setting.words[1:]}, {seeds} seeds"
    yield "Bias at the end:"
    yield _table(results, {each.table: _bias(each, BIAS_SHOWN if whole else SHOWN_OF_OTHERS) for each in results})
    yield "Models at the end" + (
        ", on the rows held out, and within the family that is predicted worst:"
        if whole
        else ", mean over them, on the rows held out:"
    )
    yield _table(results, {each.table: _models(each, whole=whole) for each in results})


def _table(results: Sequence[Result], figures: dict[str, list[Figure]]) -> str:
    judged = results[0].judged
    columns = list(dict.fromkeys((judged, *AGAINST)))
    others = [other for other in AGAINST if other != judged]
    with_start = not any(figure.model for of_table in figures.values() for figure in of_table)
    head = ["table", "figure", *(["start"] if with_start else []), *columns, *(f"{judged} − {o}" for o in others)]
    rows = [markdown_row(head), markdown_row(["---"] * len(head))]
    for result in results:
        name = f"{NAMES.get(result.table, result.table)}; {result.about['budget']} of {result.about['rows']:,} acquired"
        for figure in figures[result.table]:
            start = [spread(result.start(figure.name)) if result.start(figure.name) else ""] if with_start else []
            values = [spread(figure.final[p]) if p in figure.final else "–" for p in columns]
            tests = [difference(result.test(figure, other)) for other in others]
            rows.append(markdown_row([name, figure.label, *start, *values, *tests]))
            name = ""
    return "\n".join(rows)


def _bias(result: Result, names: Sequence[str]) -> list[Figure]:
    return [figure for figure in result.figures if not figure.model and figure.name in names]


def _models(result: Result, *, whole: bool) -> list[Figure]:
    """Return the figures of the models; of one model alone it is its own mean."""
    models = [figure for figure in result.figures if figure.model]
    mean = [figure for figure in models if figure.model == MEAN_OF_MODELS]
    return models if whole else mean or [figure for figure in models if figure.name == "r2"]


def _successes(results: Sequence[Result]) -> Iterator[str]:
    """Yield for every setting and figure on how many tables the judged policy is shown to be better."""
    for setting, group in groupby(results, key=lambda each: each.setting):
        of_setting = list(group)
        for name in ("entropy_range", "mean_gap", "joint_entropy", "r2"):
            yield from _success(setting, of_setting, name)


def _success(setting: Setting, results: Sequence[Result], name: str) -> Iterator[str]:
    for other in AGAINST:
        verdicts = [
            str(test["verdict"])
            for result in results
            for figure in result.figures
            if figure.name == name and figure.model != MEAN_OF_MODELS
            if (test := result.test(figure, other)) is not None
        ]
        if verdicts:
            label = next(f.label for r in results for f in r.figures if f.name == name).split(",")[0].rstrip(" ↓↑")
            what = "models of all tables and targets" if name == "r2" else "tables"
            counts = ", ".join(
                f"{word} on {verdicts.count(verdict)}"
                for verdict, word in (("bought", "no success"), ("worse", "worse"), ("not shown", "not shown"))
                if verdict in verdicts
            )
            yield (
                f"- {label}, {setting.words}: better than {other} on {verdicts.count('better')} of {len(verdicts)} "
                f"{what}{f' ({counts})' if counts else ''}."
            )


def _failures(results: Sequence[Result]) -> Iterator[str]:
    """Yield every figure in which the judged policy is worse than another one, or bought its evenness."""
    found = False
    for result in results:
        for figure in result.figures:
            for other in result.policies:
                test = result.test(figure, other)
                if test is not None and test["verdict"] in {"worse", "bought"}:
                    found = True
                    where = f"{result.table}, {result.setting.words}"
                    yield f"- {where}: {figure.label} against {other}: {difference(test)}."
    if not found:
        yield "In no figure of any table was it shown to be worse than another policy, nor its evenness bought."


def _draw(results: Sequence[Result], folder: Path) -> list[str]:
    """Draw the first setting; return the names of the pictures for the page."""
    main_setting = [each for each in results if each.setting == results[0].setting]
    draw_bias(folder / "real-tables.png", main_setting, ("entropy_range", "mean_gap"))
    names = ["real-tables.png"]
    if any(metric.name == "joint_entropy" for metric in BIAS_METRICS):
        draw_bias(folder / "real-tables-joint-entropy.png", main_setting, ("joint_entropy",))
        names.append("real-tables-joint-entropy.png")
    draw_models(folder / "real-tables-models.png", main_setting)
    names.append("real-tables-models.png")
    own = [each for each in main_setting if each.table == "emt_alloys"]
    copies = {"comparison.png": "policy-comparison.png", "downstream.png": "downstream-models.png"}
    copies |= {"differences.png": "policy-differences.png"}
    for source, name in copies.items() if own else ():
        shutil.copyfile(own[0].folder / source, folder / name)
        names.append(name)
    return names


def _alt(name: str) -> str:
    return {
        "real-tables.png": "Range of entropy and mean gap against observations on every table",
        "real-tables-joint-entropy.png": "Joint entropy against observations on every table",
        "real-tables-models.png": "Mean R² of the models against rows acquired on every table",
        "policy-comparison.png": "Bias metrics of the generated alloys against observations for every policy",
        "downstream-models.png": "R² of three models of the generated alloys against rows acquired",
        "policy-differences.png": "Differences of the judged policy to every other on the generated alloys",
    }[name]


if __name__ == "__main__":
    main()
