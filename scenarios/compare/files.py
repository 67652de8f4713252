"""A comparison on disk: all rows and all tests as CSV, everything that sums them up as JSON, and the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.bias import BIAS_METRICS
from protocols.storage.atomic_file import atomic_write
from protocols.storage.csv_file import write_csv
from scenarios.compare.comparison import Comparison
from scenarios.compare.difference_figure import draw_differences
from scenarios.compare.downstream import Score
from scenarios.compare.measures import CONTROL, Measure, is_bought
from scenarios.compare.model_measures import WORST, ModelScores
from scenarios.compare.statistics import half_width_of
from scenarios.display.labels import titled
from scenarios.display.observation_axis import COST_LABEL, OBSERVATION_LABEL
from scenarios.display.panels import Curve, Panel, draw_panels
from scenarios.effects.truth import ERROR, ERROR_LABEL, HELD, HELD_LABEL, UNSEEN
from scenarios.run.trajectory import Trajectory, positions_of

FIGURE: Final = "comparison.png"
COMPARISON: Final = "comparison.csv"
COURSES: Final = "course.csv"
MODELS_FIGURE: Final = "downstream.png"
MODELS: Final = "downstream.csv"
MODELS_BY_FAMILY: Final = "downstream_families.csv"
DIFFERENCES_FIGURE: Final = "differences.png"
TESTS: Final = "tests.csv"
JSON_FILE: Final = "comparison.json"
WRITTEN: Final = (
    FIGURE,
    COMPARISON,
    COURSES,
    MODELS_FIGURE,
    MODELS,
    MODELS_BY_FAMILY,
    DIFFERENCES_FIGURE,
    TESTS,
    JSON_FILE,
)
"""All files that a comparison may write."""

Points = Sequence[tuple[int, float | None]]
"""Of one run: observation and figure."""

MODEL_COLUMNS: Final = (
    "policy",
    "seed",
    "target",
    "unit",
    "model",
    "acquired",
    "training_rows",
    "test_rows",
    "r2",
    "mae",
)

FAMILY_COLUMNS: Final = ("policy", "seed", "target", "unit", "model", "acquired", "family", "test_rows", "r2", "mae")


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write every file; return their paths, pictures first.

    Raises:
        StoreError: When the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [_draw_metrics(comparison, folder / FIGURE)]
    write_csv(
        folder / COMPARISON,
        ("policy", "seed", "observation", *(each.name for each in comparison.metrics), *_truth_columns(comparison)),
        _rows(comparison),
    )
    tables = [folder / COMPARISON]
    if course := comparison.course_measures():
        write_csv(folder / COURSES, ("policy", "seed", *(m.name for m in course)), _courses(comparison))
        tables.append(folder / COURSES)
    if comparison.models:
        pictures.append(_draw_models(comparison, folder / MODELS_FIGURE))
        write_csv(folder / MODELS, MODEL_COLUMNS, _model_rows(comparison))
        write_csv(folder / MODELS_BY_FAMILY, FAMILY_COLUMNS, _family_rows(comparison))
        tables += [folder / MODELS, folder / MODELS_BY_FAMILY]
    tests = comparison.contrasts(comparison.measures())
    if tests:
        pictures.append(_draw_differences(comparison, folder / DIFFERENCES_FIGURE))
        write_csv(folder / TESTS, tuple(tests[0].flat()), (tuple(each.flat().values()) for each in tests))
        tables.append(folder / TESTS)
    with atomic_write(folder / JSON_FILE) as file:
        file.write(comparison.json().encode() + b"\n")
    return [*pictures, *tables, folder / JSON_FILE]


def curve_over_seeds(runs: Sequence[Points]) -> Curve:
    """Return mean and half-width of its 95 % interval at the observations that all runs reached.

    Where a run has no figure, it is NaN.

    A mean over fewer runs at the end than at the beginning would bend where one of them stops.
    """
    by_observation = [dict(points) for points in runs]
    common = sorted(set.intersection(*(set(each) for each in by_observation))) if by_observation else []
    rows = np.array([[each[observation] for observation in common] for each in by_observation], dtype=np.float64)
    observations: NDArray[np.float64] = np.array(common, dtype=np.float64)
    return Curve(observations, rows.mean(axis=0), half_width_of(rows))


def _points_of(runs: Sequence[Trajectory], name: str) -> list[Points]:
    """Return a metric of runs where they stand; by cost, of each what it had come to at the costs that all reached."""
    points: list[Points] = [
        [(place, point.value(name)) for place, (_, point) in zip(positions_of(run), run.points, strict=True)]
        for run in runs
    ]
    if not any(run.spent for run in runs):
        return points
    first, last = max(each[0][0] for each in points), min(each[-1][0] for each in points)
    places = sorted({place for each in points for place, _ in each if first <= place <= last})
    return [[(at, [value for place, value in each if place <= at][-1]) for at in places] for each in points]


def _draw_metrics(comparison: Comparison, path: Path) -> Path:
    measures = {each.name: each for each in comparison.bias_measures()}
    panels = [
        Panel(
            titled(metric.label, metric.unit),
            _remark(measures[metric.name], list(measures.values())),
            {policy: curve_over_seeds(_points_of(runs, metric.name)) for policy, runs in comparison.runs.items()},
            from_zero=metric.lower_is_better or metric not in BIAS_METRICS,
        )
        for metric in comparison.metrics
    ]
    panels += _truth_panels(comparison) if comparison.truth_measures() else []
    by_cost = any(run.spent for runs in comparison.runs.values() for run in runs)
    what = "metrics" if comparison.has_declared else "bias"
    title = f"{comparison.scenario}: {what} against {'cost' if by_cost else 'observation'}"
    x_label = COST_LABEL if by_cost else OBSERVATION_LABEL
    draw_panels(path, panels, title=title, subtitle=_subtitle(comparison), x_label=x_label)
    return path


def _truth_panels(comparison: Comparison) -> list[Panel]:
    """Return how far off the effects are, and how many intervals hold the truth, against observation."""
    measures = {each.name: each for each in comparison.truth_measures()}
    error = measures[ERROR]
    errors, held = (
        {
            policy: curve_over_seeds([[(at, value(each)) for at, each in run.against_truth.items()] for run in runs])
            for policy, runs in comparison.runs.items()
        }
        for value in (attrgetter("error"), attrgetter("held"))
    )
    return [
        Panel(titled(ERROR_LABEL, error.unit), _remark(error, list(measures.values())), errors, from_zero=True),
        Panel(titled(HELD_LABEL, ""), f"{UNSEEN}; 0.9 is honest", held, from_zero=True),
    ]


def _draw_models(comparison: Comparison, path: Path) -> Path:
    panels = [
        Panel(each.model.capitalize().replace("_", " "), f"R² of {each.target.replace('_', ' ')}", _r2_curves(each))
        for each in comparison.models
    ]
    title = f"{comparison.scenario}: models trained on what was acquired"
    subtitle = f"{_subtitle(comparison)}; R² on rows held out of the pool, higher is better"
    draw_panels(path, panels, title=title, subtitle=subtitle, x_label="Rows acquired beside the start set")
    return path


def _r2_curves(each: ModelScores) -> Mapping[str, Curve]:
    return {
        policy: curve_over_seeds([[(score.acquired, score.r2) for score in scores] for scores in runs])
        for policy, runs in each.runs.items()
    }


def _subtitle(comparison: Comparison) -> str:
    count = len(comparison.seeds)
    return "One seed" if count == 1 else f"Mean over {count} seeds; bands are the 95 % interval of the mean"


def _remark(measure: Measure, measures: Sequence[Measure]) -> str:
    """Say which way is good, and who is best at the end; not where that is bought with joint entropy."""
    way = "lower is better" if measure.lower_is_better else "higher is better"
    best = measure.best
    if len(best) != 1:
        return way
    bought = is_bought(measure, best[0], measures)
    return f"{way}; {best[0]}" + (f": joint entropy below {CONTROL}'s" if bought else " ends best")


def _draw_differences(comparison: Comparison, path: Path) -> Path:
    """Draw what fits a page: the worst families are in the files."""
    drawn = [each for each in comparison.measures() if not each.name.startswith(WORST)]
    count = len(comparison.seeds)
    draw_differences(
        path,
        comparison.contrasts(drawn),
        title=f"{comparison.scenario}: {comparison.policies[0]} against each other policy",
        subtitle=f"Paired over {count} seed{'s' * (count != 1)}: mean difference and its 95 % interval; verdicts by "
        "sign-flip tests, Holm-corrected within each figure",
    )
    return path


def _courses(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    measures = comparison.course_measures()
    for policy in comparison.policies:
        for place, seed in enumerate(comparison.seeds):
            yield (policy, seed, *(each.after[policy][place] for each in measures))


def _rows(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    for policy, runs in comparison.runs.items():
        for seed, run in zip(comparison.seeds, runs, strict=True):
            for observation, point in run.points:
                against = run.against_truth.get(observation)
                truth = () if against is None else (against.error, against.held)
                yield (policy, seed, observation, *(value for _, value in point.figures), *truth)


def _truth_columns(comparison: Comparison) -> tuple[str, ...]:
    return (ERROR, HELD) if comparison.truth_measures() else ()


def _scores(comparison: Comparison) -> Iterator[tuple[tuple[object, ...], Score]]:
    """Yield every score with what it is of."""
    for each in comparison.models:
        for policy, runs in each.runs.items():
            for seed, scores in zip(comparison.seeds, runs, strict=True):
                for score in scores:
                    yield (policy, seed, each.target, each.unit, each.model, score.acquired), score


def _model_rows(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    for about, score in _scores(comparison):
        yield (*about, score.training_rows, score.test_rows, score.r2, score.mae)


def _family_rows(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    for about, score in _scores(comparison):
        for each in score.families:
            yield (*about, each.family, each.test_rows, each.r2, each.mae)
