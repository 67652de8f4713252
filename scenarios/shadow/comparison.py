"""What the comparison of a lab with its shadow comes to, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.entropy.best import best_in_words, best_of
from agent.entropy.bias import BiasPoint
from agent.pool.candidates import Pool
from scenarios.shadow.choices import Agreement, DecisionComparison, families_of
from scenarios.shadow.lab_campaign import RealisedGain, Shadow


@dataclass(frozen=True, slots=True)
class AcquisitionSummary:
    """What some choices brought.

    Attributes:
        chosen: Distinct candidates.
        measured: How many of them the lab has measured, whenever that was.
        entropy_gain: Mean change of the entropy of its family by one of these, when it was measured [nat]; None where
            there is none.
    """

    chosen: int
    measured: int
    entropy_gain: float | None


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """A family: candidates of it that were chosen."""

    family: str
    lab: int
    shadow: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowSummary:
    """A lab beside its shadow: the file `shadow.json`.

    Attributes:
        campaign: The lab's campaign.
        scenario: Name of the scenario.
        policy: Our policy.
        seed: Its seed.
        property: The property whose entropy is balanced.
        unit: Its unit.
        decisions: Decisions of the lab that were compared.
        not_asked: Decisions heard for which the policy was not asked yet.
        chosen: Candidates that the lab chose in these.
        same: How many of them the shadow chose as well, at the same decision.
        same_family: For how many it chose one of the same family.
        lab_in_poorest: How many of them were of the family to enrich first, by then.
        shadow_chosen: Candidates that the shadow chose.
        shadow_in_poorest: How many of these were of that family.
        both: What the candidates brought that both chose at the same decision.
        lab_alone: Those that only the lab chose there.
        shadow_alone: Those that only the shadow chose there; the lab may have measured them at another time.
        families: Candidates chosen of every family.
        results: Results of the lab beyond the start set.
        first_lab_number: The lab's number of the first decision heard; above 0, the shadow came later.
        most_in_flight: Most candidates that the lab had in flight at once.
        parallel: How many the settings say.
        gaps: How often the link came back to a broker that had kept nothing for us, or a start found it so.
        before: Bias of the start set.
        after: Bias at the end.
        best: What its figures were at their best, in words.
        counts: What became of the messages.
        stopped_because: Why it ended, in one sentence.
        files: Files written, relative to the folder.
        versions: Versions of what decides, by name.
    """

    campaign: str
    scenario: str
    policy: str
    seed: int
    property: str
    unit: str
    decisions: int
    not_asked: int
    chosen: int
    same: int
    same_family: int
    lab_in_poorest: int
    shadow_chosen: int
    shadow_in_poorest: int
    both: AcquisitionSummary
    lab_alone: AcquisitionSummary
    shadow_alone: AcquisitionSummary
    families: tuple[FamilyRow, ...]
    results: int
    first_lab_number: int | None
    most_in_flight: int
    parallel: int
    gaps: int
    before: BiasPoint
    after: BiasPoint
    best: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    stopped_because: str = ""
    files: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


def summarise(
    shadow: Shadow,
    rows: Sequence[DecisionComparison],
    *,
    pool: Pool,
    scenario: str,
    gaps: int,
    stopped_because: str,
    files: tuple[str, ...],
    versions: Mapping[str, str],
) -> ShadowSummary:
    """Return what a comparison comes to.

    Args:
        shadow: What was heard.
        rows: The decisions that were compared, in order.
        pool: The candidates.
        scenario: Name of the scenario.
        gaps: How often something may have been missed.
        stopped_because: Why it ended.
        files: What was written beside it.
        versions: Of what decides.
    """
    plan = shadow.campaign.plan
    lab = families_of((each for row in rows for each in row.lab), pool)
    ours = families_of((each for row in rows for each in row.shadow), pool)
    same = set().union(*(row.same for row in rows))
    return ShadowSummary(
        campaign=plan.campaign,
        scenario=scenario,
        policy=plan.policy,
        seed=plan.seed,
        property=plan.label,
        unit=plan.unit,
        decisions=len(rows),
        not_asked=shadow.campaign.next_decision - len(rows),
        chosen=lab.total(),
        same=sum(len(row.same) for row in rows),
        same_family=sum(each is not Agreement.NONE for row in rows for each in row.agreements(pool)),
        lab_in_poorest=sum(families_of(row.lab, pool)[row.starved_family or ""] for row in rows),
        shadow_chosen=ours.total(),
        shadow_in_poorest=sum(families_of(row.shadow, pool)[row.starved_family or ""] for row in rows),
        both=_summary_of(same, shadow.realised_gain),
        lab_alone=_summary_of({each for row in rows for each in row.lab} - same, shadow.realised_gain),
        shadow_alone=_summary_of({each for row in rows for each in row.shadow} - same, shadow.realised_gain),
        families=tuple(_family_rows(pool.families, lab, ours)),
        results=len(shadow.points) - 1,
        first_lab_number=rows[0].lab_number if rows else None,
        most_in_flight=shadow.most_in_flight,
        parallel=plan.parallel,
        gaps=gaps,
        before=shadow.points[0][1],
        after=shadow.points[-1][1],
        best=best_in_words(best_of(shadow.points)),
        counts=dict(sorted(shadow.counts.items())),
        stopped_because=stopped_because,
        files=files,
        versions=versions,
    )


def _summary_of(chosen: Collection[str], realised_gain: Mapping[str, RealisedGain]) -> AcquisitionSummary:
    measured = [realised_gain[each] for each in sorted(chosen) if each in realised_gain]
    gains = [each.entropy_gain for each in measured if each.entropy_gain is not None]
    return AcquisitionSummary(len(chosen), len(measured), sum(gains) / len(gains) if gains else None)


def _family_rows(families: Iterable[str], lab: Counter[str], ours: Counter[str]) -> Iterator[FamilyRow]:
    for family in families:
        yield FamilyRow(family, lab[family], ours[family])
