"""What a run leaves behind: trajectory, figure, summary; and what the same budget at random would have given."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.campaign.event_descriptions import in_words
from agent.campaign.events import ResultContradicted
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.state import Campaign
from agent.campaign.stop_settings import StopSettings
from agent.entropy.bias import BiasPoint
from agent.entropy.measure import EntropyMeasure
from agent.opening import CampaignFiles
from agent.run_files import DATABASE, DATABASE_PLACE, LOG, RECORDING
from agent.runtime.presence import named
from agent.versions import versions
from scenarios.effects.effects import Effects, effects_of
from scenarios.effects.figure import draw_effects
from scenarios.effects.files import write_effects
from scenarios.effects.truth import AgainstTruth
from scenarios.findings.findings import Findings, write_findings
from scenarios.run.banded import ENDS, MAX_BANDED_STEPS, with_bands
from scenarios.run.dataset import write_dataset_csv
from scenarios.run.figure.bias import draw_bias
from scenarios.run.metrics_figure import draw_metrics
from scenarios.run.offline import play_offline
from scenarios.run.reach import ceilings_of, further_values, skills_of
from scenarios.run.shares import shares_of
from scenarios.run.shortfall import shortfall
from scenarios.run.summary.measured import brought_in_words
from scenarios.run.summary.model import RunSummary, read_summary, write_summary
from scenarios.run.trajectory import Trajectory, write_trajectory_csv
from scenarios.settings.model import Scenario
from scenarios.sources.run_folder import DATASET, EFFECTS, EFFECTS_FIGURE, FIGURE, METRICS_FIGURE, SUMMARY, TRAJECTORY
from scenarios.world.world import World

MAX_CONTRADICTIONS_TOLD: Final = 5
"""Contradictions that a summary tells one by one; the journal has more of them."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A finished (or stopped) run."""

    summary: RunSummary
    trajectory: Trajectory
    random: Trajectory | None
    finished: bool
    """Whether the campaign is over; if not, it can be resumed."""
    already: bool = False
    """Whether it was over before, so that nothing was changed."""


def known_outcome(files: CampaignFiles) -> RunOutcome | None:
    """Return the outcome of a campaign that is over and has written all its files; None when there is work left."""
    folder = files.folder
    if files.ledger.campaign.phase is not Phase.FINISHED or not (folder / SUMMARY).is_file():
        return None
    summary = read_summary(folder / SUMMARY)
    if not all((folder / name).is_file() for name in (TRAJECTORY, DATASET, _figure(summary.after))):
        return None
    trajectory = _trajectory(files)
    return RunOutcome(summary, trajectory, None, finished=True, already=True)


def write_outcome(
    files: CampaignFiles,
    *,
    scenario: Scenario,
    world: World,
    elapsed_s: float,
    accepted_here: int,
    waited_for: Sequence[str] = (),
) -> RunOutcome:
    """Write trajectory, figure and summary into the run folder.

    Args:
        files: The run folder, opened.
        scenario: The settings.
        world: For the comparison with random.
        elapsed_s: Time that this process ran the campaign [s].
        accepted_here: Results that it accepted in that time.
        waited_for: Instruments that it waited for when it ended.
    """
    campaign, plan = files.ledger.campaign, files.plan
    trajectory = _trajectory(files)
    over = campaign.phase is Phase.FINISHED
    # Only of a campaign that is over: it is played to its end, and SIGTERM has five seconds in all.
    observations = len(trajectory.points) - 1
    # Nor of a policy that makes candidates of its own: nobody knows what others would have been worth.
    comparable = over and not plan.grows_pool
    budget = campaign.spent if plan.fidelities and observations else observations
    random = random_instead(scenario, world, measure=plan.measure, budget=budget) if comparable else None
    # Likewise: every family's band at every observation takes seconds in a long run.
    trajectory = with_bands(trajectory, files.ledger.meter, MAX_BANDED_STEPS if over else ENDS)
    code = scenario.campaign.code
    effects = effects_of(files.store.journal(), world.pool, world.true_effects, code, at_ends_only=not over)
    if effects is not None:
        trajectory = replace(trajectory, against_truth=effects.against_truth)
    write_trajectory_csv(files.folder / TRAJECTORY, trajectory)
    write_dataset_csv(files.folder / DATASET, files.store.dataset())
    title = f"{plan.campaign}: {plan.policy}, {len(trajectory.points) - 1} of {campaign.budget} acquired"
    title += f", {abandoned} abandoned" if (abandoned := _abandoned(campaign)) else ""
    _draw(files.folder, title, trajectory, {} if random is None else {"random": random}, effects)
    shares = shares_of(files.store.journal(), plan, world.pool, world.true_shares, scenario.campaign.code)
    findings = write_findings(
        files.folder, list(files.store.journal()), plan, world.pool, scenario, title=title, whole=over
    )
    found = Found(trajectory, random, effects, shares, findings)
    summary = summary_of(files, scenario, found, elapsed_s=elapsed_s, accepted_here=accepted_here)
    if not (campaign.finish_reason or campaign.pause_reason):
        summary = replace(summary, stopped_because=interrupted(waited_for))
    write_summary(files.folder / SUMMARY, summary)
    return RunOutcome(summary, trajectory, random, finished=over)


def _trajectory(files: CampaignFiles) -> Trajectory:
    plan, store = files.plan, files.store
    spent = store.spent() if plan.fidelities else ()
    return Trajectory(plan.label, plan.unit, tuple(store.trajectory(plan.metrics)), spent=spent)


@dataclass(frozen=True, slots=True)
class Found:
    """What a run came to, beside its state.

    Attributes:
        trajectory: With bands.
        random: Of the same budget at random; None where that is not known.
        effects: What is believed of effects; None where the policy is after none.
        shares: What each kind of factor explains of the variance, in words.
        findings: What else it found, and the files that show it.
    """

    trajectory: Trajectory
    random: Trajectory | None
    effects: Effects | None
    shares: tuple[str, ...]
    findings: Findings


def summary_of(
    files: CampaignFiles, scenario: Scenario, found: Found, *, elapsed_s: float, accepted_here: int
) -> RunSummary:
    """Return what a campaign has come to, over or not; arguments as of `write_outcome`, with what was found."""
    campaign, plan = files.ledger.campaign, files.plan
    counts = files.store.counts()
    return RunSummary(
        campaign=plan.campaign,
        scenario=scenario.name,
        policy=plan.policy,
        seed=plan.seed,
        property=plan.label,
        unit=plan.unit,
        budget=campaign.budget,
        budget_unit=plan.budget_unit,
        spent=campaign.spent,
        observations=campaign.observations,
        abandoned=_abandoned(campaign),
        excluded=int((campaign.statuses == CandidateStatus.EXCLUDED).sum()),
        retries=campaign.retries,
        quarantined=sum(by for disposition, by in counts.items() if disposition.startswith("quarantined")),
        duplicates=counts.get("candidate_result: duplicate", 0),
        contradictions=counts.get("candidate_result: contradicts", 0),
        contradicted=tuple(itertools.islice(_contradictions(files), MAX_CONTRADICTIONS_TOLD)),
        stopped_because=campaign.finish_reason or campaign.pause_reason,
        shortfall=shortfall(campaign, files.store.journal(), scenario.campaign.request_timeout_s),
        wall_time_s=round(elapsed_s, 3),
        per_second=round(accepted_here / elapsed_s, 3) if accepted_here else None,
        accepted_here=accepted_here,
        before=found.trajectory.points[0][1],
        after=found.trajectory.points[-1][1],
        bands_before=found.trajectory.bands[found.trajectory.points[0][0]],
        bands_after=found.trajectory.bands[found.trajectory.points[-1][0]],
        best=files.ledger.best.figures(),
        found="" if (now := files.ledger.progress.current) is None else in_words(now),
        random=None if found.random is None else found.random.points[-1][1],
        ceilings=ceilings_of(campaign) if campaign.phase is Phase.FINISHED else (),
        further=further_values(campaign),
        skills=skills_of(campaign) if campaign.phase is Phase.FINISHED else (),
        journal_rows=files.store.sequence,
        journal_digest=files.store.digest,
        files=_written(files.folder, found),
        effects=() if found.effects is None else tuple(found.effects.in_words()),
        against_truth=truth_of(found.trajectory, found.random),
        shares=found.shares,
        reading=campaign.reading,
        account=files.ledger.account,
        brought=brought_in_words(files.store.journal(), plan.unit),
        findings=found.findings.lines,
        versions=versions(),
    )


def interrupted(waited_for: Sequence[str] = ()) -> str:
    """Say how a campaign stands that is not over, and whose agent is gone."""
    waiting = f" while it waited for {named(waited_for)}" if waited_for else ""
    return f"it was interrupted{waiting}; --resume resumes it"


def _contradictions(files: CampaignFiles) -> Iterator[str]:
    """Yield every contradiction that the journal holds, with the value that stays."""
    campaign, unit = files.ledger.campaign, files.plan.unit
    if not campaign.contradictions:
        return
    for event in files.store.journal():
        if isinstance(event, ResultContradicted):
            value = campaign.values[campaign.pool.index_of[event.candidate_id]]
            yield in_words(event) + (f": {value:g} {unit}".rstrip() if math.isfinite(value) else "")


def _written(folder: Path, found: Found) -> tuple[str, ...]:
    """Return the names of the files that tell of the run."""
    database = DATABASE if (folder / DATABASE).is_file() else DATABASE_PLACE  # which says where it is
    figures = _figures(found.trajectory.points[-1][1], found.effects)
    return (database, RECORDING, LOG, TRAJECTORY, DATASET, *figures, *found.findings.files, SUMMARY)


def _abandoned(campaign: Campaign) -> int:
    return int((campaign.statuses == CandidateStatus.ABANDONED).sum())


def _figures(last: BiasPoint, effects: Effects | None) -> tuple[str, ...]:
    """Return the names of the pictures, and of the table of effects."""
    return (_figure(last), *(() if effects is None else (EFFECTS, EFFECTS_FIGURE)))


def _figure(last: BiasPoint) -> str:
    """Return the name of the picture."""
    return FIGURE if last.compares_families else METRICS_FIGURE


def _draw(
    folder: Path, title: str, trajectory: Trajectory, comparison: Mapping[str, Trajectory], effects: Effects | None
) -> None:
    if trajectory.points[-1][1].compares_families:
        draw_bias(folder / FIGURE, trajectory, comparison=comparison, title=title)
    else:
        draw_metrics(folder / METRICS_FIGURE, trajectory, comparison=comparison, title=title)
    if effects is not None:
        write_effects(folder / EFFECTS, effects)
        draw_effects(folder / EFFECTS_FIGURE, effects, title=title)


def random_instead(scenario: Scenario, world: World, *, measure: EntropyMeasure, budget: int) -> Trajectory | None:
    """Return what the same budget at random would have given, from the same start and seed; None where unknown.

    Args:
        scenario: The settings.
        world: Its values and its start set.
        measure: The entropy of the run that is compared with.
        budget: As many results as it accepted; where measurements have costs, what it spent.
    """
    if not world.all_known or scenario.campaign.policy == "random" or budget < scenario.campaign.target_cost:
        return None
    random = {"budget": budget, "stop": StopSettings()}
    same = {"estimator": measure.estimator, "resolution": measure.resolution}
    settings = scenario.campaign.decided_by("random", {}).model_copy(update=random | same)
    played = play_offline(world.pool, world.balanced, list(world.start), settings, uncertainties=world.uncertainties)
    truth = world.true_effects
    effects = effects_of(played.events, world.pool, truth, settings.code) if truth else None
    return played.trajectory if effects is None else replace(played.trajectory, against_truth=effects.against_truth)


def truth_of(run: Trajectory, random: Trajectory | None) -> dict[str, AgainstTruth]:
    """Return how far off effects were, as a summary tells it."""
    moments = {"before": (run, run.points[0][0]), "after": (run, run.points[-1][0])}
    moments |= {} if random is None else {"random": (random, random.points[-1][0])}
    found = {moment: trajectory.against_truth.get(at) for moment, (trajectory, at) in moments.items()}
    return {moment: each for moment, each in found.items() if each is not None}
