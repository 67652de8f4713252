"""What a run came to: the file `summary.json` and the table at its end.

The file has sorted keys and no NaN, so that two runs can be compared line by line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from agent.acquisition.ceilings import Ceiling
from agent.entropy.bands import Band
from agent.entropy.best import Best, best_in_words, price_of_evenness, worse_than_start
from agent.entropy.bias import BIAS_METRICS, BiasPoint, coverage, evenness, joint_entropy, priority
from agent.metrics import Metric
from protocols.errors import StoreError
from protocols.storage.atomic_file import atomic_write
from protocols.tables.account import Account
from scenarios.display.labels import figure_text, shortened
from scenarios.effects.truth import UNSEEN, AgainstTruth
from scenarios.run.reach import reach_in_words, who_falls_short
from scenarios.run.trajectory import Bands

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

SUMMARY_FORMAT: Final = 1
"""Version of `summary.json`."""

SEAL: Final = "digest"
"""Member of `summary.json` that covers all others; summaries of old have none."""

MAX_SUMMARY_BYTES: Final = 4 * 1024 * 1024
"""Largest summary read back [byte]: MAX_FAMILIES families three times, and room."""

MAX_ROWS: Final = 11
"""Most families in the table: with its frame it stays on a screen of 24 lines."""

RICHEST_SHOWN: Final = 3
"""Of too many families, how many of the richest are shown; the rest of the rows go to the poorest."""

ERROR_SHORT: Final = "error against truth"
HELD_SHORT: Final = "intervals holding it"
"""Where there is little room."""

_BIAS_FIELDS: Final = ("before", "after", "random")
_ENDS: Final = ("entropy_low", "entropy_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One finished (or stopped) run.

    Attributes:
        campaign: Its name.
        scenario: Name of the scenario; empty for a run without one.
        policy: The policy.
        seed: Seed of the campaign.
        property: The property whose entropy is balanced.
        unit: Its unit.
        budget: Requests allowed.
        spent: Requests that counted.
        observations: Results in the dataset, start set included.
        abandoned: Candidates abandoned after failures.
        excluded: Candidates that an operator took out.
        retries: Second and further attempts.
        quarantined: Messages that were not ours.
        duplicates: Results that had come before.
        contradictions: Results that say something else than the first one of their attempt, which stays.
        contradicted: The first few of them in words, a line each.
        stopped_because: Why it ended, in one sentence.
        shortfall: How it fell short and why, a line each: no result, or most candidates abandoned; empty otherwise.
        wall_time_s: How long the last process ran the campaign [s].
        per_second: Results that it accepted per second; None when nothing was timed.
        accepted_here: Results that it accepted; None in summaries of old.
        before: Bias of the start set.
        after: Bias at the end.
        best: The best that each figure was, and where; empty in summaries of old.
        found: What holds of the mean gap at the end: that it is even, or that it has stalled; empty where neither does.
        random: Bias of a run at random with the same start, budget and seed, if one was made.
        bands_before: Band of every family's entropy, in the order of `before`; empty in summaries of old.
        bands_after: The same of `after`.
        ceilings: What every family could have at most at the end; empty in summaries of old, and of a campaign that is
            not over.
        further: How many more values of its own each was given for that.
        journal_rows: Rows of the journal when this was written.
        journal_digest: Digest of the last of them, by which a journal that lost its end is found out.
        effects: What is believed of the effects of interventions, a line each; empty where the policy is after none.
        against_truth: How far off that is, "before", "after" and at "random"; empty where nobody knows the truth.
        shares: What each kind of factor explains of the variance of the property, a line each; empty likewise.
        reading: What of the pool's table was not taken as it stands, as the journal has it.
        account: What its policy was told and what that cost, in words; empty where there is nothing to say.
        findings: What else was found, a line each: a graph, molecules.
        files: Files written, relative to the run folder.
        versions: Versions of what computed it, by name.
    """

    campaign: str
    scenario: str
    policy: str
    seed: int
    property: str
    unit: str
    budget: int
    spent: int
    observations: int
    abandoned: int
    excluded: int
    retries: int
    quarantined: int
    duplicates: int
    contradictions: int = 0
    contradicted: tuple[str, ...] = ()
    stopped_because: str
    wall_time_s: float
    per_second: float | None
    accepted_here: int | None = None
    before: BiasPoint
    after: BiasPoint
    best: tuple[Best, ...] = ()
    found: str = ""
    random: BiasPoint | None = None
    bands_before: Bands = ()
    bands_after: Bands = ()
    ceilings: tuple[Ceiling, ...] = ()
    further: int = 0
    shortfall: tuple[str, ...] = ()
    journal_rows: int = 0
    journal_digest: str = ""
    effects: tuple[str, ...] = ()
    against_truth: Mapping[str, AgainstTruth] = field(default_factory=dict)
    shares: tuple[str, ...] = ()
    reading: Account = ()
    account: str = ""
    findings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


def write_summary(path: Path, summary: RunSummary) -> None:
    """Write `summary.json`.

    Raises:
        StoreError: When it cannot be written.
        ValueError: When a figure is not finite.
    """
    content = summary_json(summary).encode()
    with atomic_write(path) as file:
        file.write(content)


def summary_json(summary: RunSummary) -> str:
    """Return the summary as JSON, keys sorted, families as a list of objects.

    Raises:
        ValueError: When a figure is not finite.
    """
    tree: dict[str, Any] = {each.name: getattr(summary, each.name) for each in dataclasses.fields(summary)}
    bands = {name: tree.pop(f"bands_{name}", ()) for name in _BIAS_FIELDS}
    tree |= {name: bias_tree(tree[name], bands[name]) for name in _BIAS_FIELDS if tree[name] is not None}
    tree |= {"format": SUMMARY_FORMAT, "versions": dict(summary.versions), "best": best_tree(summary.best)}
    tree["ceilings"] = [dataclasses.asdict(each) for each in summary.ceilings]
    tree["reading"] = [each.model_dump(mode="json") for each in summary.reading]
    tree["against_truth"] = {moment: dataclasses.asdict(each) for moment, each in summary.against_truth.items()}
    tree[SEAL] = seal_of(tree)
    return json.dumps(tree, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def seal_of(tree: Mapping[str, Any]) -> str:
    """Return the digest of a summary's JSON: half of what it tells (times, what random came to) follows from nothing.

    Args:
        tree: The whole of it, with or without its digest.
    """
    told = {name: value for name, value in tree.items() if name != SEAL}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def read_summary(path: Path) -> RunSummary:
    """Read what `write_summary` wrote.

    Raises:
        StoreError: When the file is missing, not ours, or of another format.
    """
    try:
        with path.open("rb") as file:
            tree = json.loads(file.read(MAX_SUMMARY_BYTES))
        if tree.pop("format") != SUMMARY_FORMAT:
            raise StoreError(f"{path} has another format", expected=f"format {SUMMARY_FORMAT}", action="run it again")
        tree |= {f"bands_{name}": _bands(tree[name]) for name in ("before", "after")}
        tree |= {name: bias_fields(tree[name]) for name in _BIAS_FIELDS if tree.get(name) is not None}
        tree["best"] = best_fields(tree.get("best", {}), tree["after"])
        adapter = TypeAdapter(RunSummary)
        return adapter.validate_python(tree)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        found = f"{len(error.errors())} fields are wrong" if isinstance(error, ValidationError) else found
        raise StoreError(
            f"{path} is not a summary ({found})",
            expected="the summary.json of a run",
            action="move it away and run with --resume",
        ) from error


def starved_first(point: BiasPoint) -> list[int]:
    """Positions of the families, the poorest first (see `agent.entropy.bias.priority`)."""
    keys = [priority(h, n, name) for name, n, h in zip(point.families, point.sizes, point.entropies, strict=True)]
    return sorted(range(len(keys)), key=keys.__getitem__)


def summary_table(summary: RunSummary) -> RenderableType:
    """Lay a summary out for a terminal of 80 columns, with or without colours.

    An entropy has half the width of its band beside it; of every figure, the best of the columns is bold with a star.
    """
    from rich.console import Group
    from rich.text import Text

    title = Text.assemble((summary.campaign, "bold"), f"  policy {summary.policy}, seed {summary.seed}")
    if summary.scenario:
        title.append(f", scenario {summary.scenario}")
    counts = (
        f"spent {summary.spent} of {summary.budget} {_in_time(summary)}; "
        f"{summary.observations} observations, {summary.abandoned} abandoned, {summary.excluded} excluded, "
        f"{summary.retries} retries, {summary.duplicates} duplicates, {summary.quarantined} quarantined"
    )
    caption = f"entropy of {summary.property} [{summary.unit}] in nat ± 90 % band; * best"
    if not summary.after.compares_families:
        caption = "metrics that the policy declares; * best"
    if summary.against_truth:
        caption += f"; truth: {UNSEEN}"
    reason = Text(f"stopped because {summary.stopped_because}")
    short_of = [Text(line, "bold red") for line in summary.shortfall]
    harm = worse_than_start(summary.before, summary.after)
    warning = [Text(harm, "bold red")] if harm else []
    best = best_in_words(summary.best)
    price = "" if summary.random is None else price_of_evenness(summary.after, summary.random, "at random")
    reach = reach_in_words(summary.ceilings, summary.further)
    lines = [Text(each) for each in (f"best: {best}" if best else "", summary.found, price, reach) if each]
    lines += [Text(f"{'effects' if not place else '       '} {line}") for place, line in enumerate(summary.effects)]
    lines += [Text(f"{'shares ' if not place else '       '} {line}") for place, line in enumerate(summary.shares)]
    lines += [Text(summary.account)] if summary.account else []
    lines += [Text(line) for line in summary.findings]
    short = [Text(line, "yellow") for line in (*_contradictions(summary), *who_falls_short(summary.ceilings))]
    return Group(
        *warning, title, reason, *short_of, Text(counts), "", _bias_table(summary), *lines, *short, Text(caption, "dim")
    )


def _contradictions(summary: RunSummary) -> Iterator[str]:
    """Say which results contradict the first one of their attempt: a lab is confused, or somebody speaks for it."""
    if count := summary.contradictions:
        yield f"{count} result{'s' * (count != 1)} contradicted what the journal holds, which stays:"
        yield from (f"  {line}" for line in summary.contradicted)
        if (more := summary.contradictions - len(summary.contradicted)) > 0:
            yield f"  … and {more} more"


def _in_time(summary: RunSummary) -> str:
    """Say how long it took; of a campaign that was resumed, only of the part that this process ran."""
    rate = "" if summary.per_second is None else f", {summary.per_second:.3g} results/s"
    took = f"in {summary.wall_time_s:.1f} s{rate}"
    accepted = sum(summary.after.sizes) - sum(summary.before.sizes)
    if summary.accepted_here is None or summary.accepted_here == accepted:
        return took
    return f"(since it was resumed: {summary.accepted_here} results {took})"


def _bias_table(summary: RunSummary) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    columns = [summary.before, summary.after, *([summary.random] if summary.random else [])]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    compares = summary.after.compares_families
    table.add_column("family" if compares else "", overflow="ellipsis", no_wrap=True, max_width=28)
    for heading in ("size" if compares else "", "before", "after", "at random")[: 1 + len(columns)]:
        table.add_column(heading, justify="right", no_wrap=True)
    lookups = [dict(zip(each.families, zip(each.sizes, each.entropies, strict=True), strict=True)) for each in columns]
    bands = [
        dict(zip(point.families, known or (None,) * len(point.families), strict=True))
        for point, known in zip(columns, (summary.bands_before, summary.bands_after, ()), strict=False)
    ]
    shown, folded = _fold(starved_first(summary.before)) if compares else ([], 0)
    for position in shown:
        name = summary.before.families[position]
        (size, _), (grown, _) = lookups[0][name], lookups[1].get(name, (0, None))
        pairs = zip(lookups, bands, strict=True)
        entropies = [_with_band(each.get(name, (0, None))[1], known.get(name)) for each, known in pairs]
        table.add_row(Text(name), f"{size} → {grown}", *entropies)
        if folded and position == shown[-RICHEST_SHOWN - 1]:
            table.add_row(Text(f"… {folded} families between", "dim"))
    if compares:
        table.add_section()
    for metric, _ in summary.after.figures:
        values = [each.value(metric.name) for each in columns]
        table.add_row(
            Text(metric.short, "bold"), "", *_starred(values, min if metric.lower_is_better else max, metric.unit)
        )
    for row in _truth_rows(summary):
        table.add_row(*row)
    if compares:
        starved = (Text(shortened(each.starved_family or "–")) for each in columns)
        table.add_row(Text("starved family", "bold"), "", *starved)
    return table


def _truth_rows(summary: RunSummary) -> Iterator[tuple[Text, ...]]:
    """Yield how far off the effects were believed to be, in the columns of the table."""
    from rich.text import Text

    moments = _BIAS_FIELDS if summary.random else _BIAS_FIELDS[:2]
    against = [summary.against_truth.get(moment) for moment in moments]
    if not any(against):
        return
    errors = [None if each is None else each.error for each in against]
    held = ("–" if each is None else f"{each.held:.0%}" for each in against)
    yield Text(ERROR_SHORT, "bold"), Text(""), *_starred(errors, min, summary.unit)
    yield Text(HELD_SHORT, "bold"), Text(""), *map(Text, held)


def _fold(order: list[int]) -> tuple[list[int], int]:
    """The positions to show, and how many are left out before the richest of them."""
    if len(order) <= MAX_ROWS:
        return order, 0
    starved = MAX_ROWS - RICHEST_SHOWN - 1  # one row says how many are folded
    return order[:starved] + order[-RICHEST_SHOWN:], len(order) - starved - RICHEST_SHOWN


def _starred(values: list[float | None], best_of: Callable[[Iterable[float]], float], unit: str) -> list[Text]:
    from rich.text import Text

    known = {value for value in values if value is not None}
    best = best_of(known) if len(known) > 1 else None  # where all are alike, none is better
    told = [figure_text(value, unit) for value in values]
    return [
        Text(f"*{text}", "bold green") if value is not None and value == best else Text(text)
        for value, text in zip(values, told, strict=True)
    ]


def _with_band(entropy: float | None, band: Band | None) -> str:
    told = figure_text(entropy, "nat")
    return told if band is None else f"{told} ± {(band[1] - band[0]) / 2:.3f}"


def bias_tree(point: BiasPoint, bands: Bands = ()) -> dict[str, Any]:
    """Return a point as JSON has it, families as a list of objects."""
    rows = zip(point.families, point.sizes, point.entropies, bands or (None,) * len(point.families), strict=True)
    return {
        "families": [
            {"family": name, "size": size, "entropy": h} | dict(zip(_ENDS, band or (), strict=False))
            for name, size, h, band in rows
        ],
        **{metric.name: getattr(point, metric.name) for metric in BIAS_METRICS},
        "starved_family": point.starved_family,
        **(
            {"declared": [dataclasses.asdict(metric) | {"value": value} for metric, value in point.declared]}
            if point.declared
            else {}
        ),
    }


def bias_fields(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `BiasPoint` from its JSON; figures that summaries of old lack follow from the others."""
    rows = tree["families"]
    columns = {"families": "family", "sizes": "size", "entropies": "entropy"}
    fields = {plural: [row[one] for row in rows] for plural, one in columns.items()}
    entropies, sizes = fields["entropies"], fields["sizes"]
    later = {
        "evenness": evenness(entropies),
        "coverage": coverage(sizes),
        "joint_entropy": joint_entropy(sizes, entropies),
    }
    declared = [(_metric(row), row["value"]) for row in tree.get("declared", ())]
    return later | {**tree, **fields, "declared": declared}


def _metric(row: Mapping[str, Any]) -> Metric:
    return Metric(**{name: row[name] for name in ("name", "label", "short", "unit", "lower_is_better")})


def best_tree(figures: Iterable[Best]) -> dict[str, Any]:
    """Return the best of each figure as JSON has it: where and what it was, and by how much the last is worse."""
    return {
        each.metric.name: {"observation": each.observation, "value": each.value, "regret": each.regret}
        for each in figures
    }


def best_fields(tree: Mapping[str, Any], last: Mapping[str, Any]) -> tuple[Best, ...]:
    """Return the best of each figure from its JSON and that of the last point."""
    figures = [*last.get("declared", ()), *((metric, last[metric.name]) for metric in BIAS_METRICS)]
    return tuple(
        Best(metric, int(tree[metric.name]["observation"]), float(tree[metric.name]["value"]), now)
        for metric, now in figures
        if metric.name in tree
    )


def _bands(tree: Mapping[str, Any]) -> list[Any]:
    bands = [[row.get(end) for end in _ENDS] for row in tree["families"]]
    known = [None if band == [None, None] else band for band in bands]
    return known if any(known) else []
