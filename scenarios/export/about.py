"""What is said beside the tables of a run: what it is, who made it, what may be done with it, whence it is. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.campaign.event_descriptions import MANUAL, START_SET
from protocols.wire.topics import ANY_SIMULATOR
from scenarios.display.labels import with_unit
from scenarios.export.reading import RunRecord
from scenarios.export.works import Work, works_of
from scenarios.settings.dataset import ORCID, SPDX, DatasetSettings, DescribedInstrument
from scenarios.settings.model import Scenario
from simulators.settings import ASE, MOLECULES, STRUCTURAL_MODEL, TABLE, SimulatorSettings

NO_LICENCE: Final = "No licence was named: whoever wants to use it must ask its creators."
"""What is said where none is."""


@dataclass(frozen=True, slots=True)
class MeasuredBy:
    """Who measured, and how much.

    Attributes:
        id: Of the instrument.
        values: How many values in the dataset are of it.
        method: How it measures, as far as that is known.
        described: What else is known of it.
    """

    id: str
    values: int
    method: str
    described: DescribedInstrument


@dataclass(frozen=True, slots=True)
class About:
    """What is said beside the tables.

    Attributes:
        said: What the settings say, with what follows where they say nothing.
        campaign: What the campaign is and how it stands: plain values.
        instruments: Who measured.
        works: What it rests on.
        software: Versions of what decided, by package.
        made_at: When the export was made, RFC 3339.
        made_by: Version of Entropilot that made it.
    """

    said: DatasetSettings
    campaign: Mapping[str, Any]
    instruments: tuple[MeasuredBy, ...]
    works: tuple[Work, ...]
    software: Mapping[str, str]
    made_at: str
    made_by: str

    @property
    def licence_url(self) -> str | None:
        """Address of the licence; None where there is none."""
        return None if self.said.licence is None else f"{SPDX}{self.said.licence}"

    def tree(self) -> dict[str, Any]:
        """Return the same as plain values, for formats that describe themselves."""
        creators = [
            {
                "name": each.name,
                "affiliation": each.affiliation,
                "orcid": f"{ORCID}{each.orcid}" if each.orcid else None,
            }
            for each in self.said.creators
        ]
        return {
            "dataset": {
                "title": self.said.title,
                "description": self.said.description,
                "licence": self.said.licence,
                "licence_url": self.licence_url,
                "creators": creators,
                "citation": self.said.citation,
                "keywords": list(self.said.keywords),
                "sources": list(self.said.sources),
            },
            "campaign": dict(self.campaign),
            "instruments": [
                {"id": each.id, "values": each.values, **each.described.model_dump(), "method": each.method}
                for each in self.instruments
            ],
            "works": [each.in_words for each in self.works],
            "software": dict(self.software),
            "made_at": self.made_at,
            "made_by": self.made_by,
        }


def about_of(run: RunRecord, said: DatasetSettings, scenario: Scenario | None, *, made_at: str, made_by: str) -> About:
    """Return what is said of a run.

    Args:
        run: The run.
        said: What settings say of its dataset.
        scenario: Its scenario, where that is known.
        made_at: When the export is made, RFC 3339.
        made_by: Version of Entropilot.
    """
    plan = run.plan
    return About(
        said=_completed(said, run, scenario),
        campaign=_campaign(run),
        instruments=_instruments(run, said, scenario),
        works=works_of(plan.policy, plan.estimator),
        software=dict(run.started.versions),
        made_at=made_at,
        made_by=made_by,
    )


def _campaign(run: RunRecord) -> dict[str, Any]:
    plan, ended = run.plan, run.ended
    return {
        "name": plan.campaign,
        "uid": plan.uid,
        "property": plan.property_name,
        "unit": plan.unit,
        "policy": plan.policy,
        "policy_options": dict(plan.policy_options),
        "policy_fingerprint": plan.fingerprint,
        "seed": plan.seed,
        "estimator": plan.estimator,
        "pool_digest": plan.pool_digest,
        "is_finished": ended is not None,
        "reason": "" if ended is None else ended.reason,
        "observation": run.trajectory[-1][0] if run.trajectory else None,
        "began_at": run.time_of(1),
        "last_at": run.time_of(len(run.journal)),
        "journal_rows": len(run.journal),
        "journal_digest": run.journal[-1].digest,
    }


def _completed(said: DatasetSettings, run: RunRecord, scenario: Scenario | None) -> DatasetSettings:
    """Return what settings say, with what follows where they say nothing."""
    plan = run.plan
    families = {row.family for row in run.observations}
    title = said.title or f"{plan.property_name} of {len(families)} families, campaign {plan.campaign}"
    about = "" if scenario is None else scenario.about
    summary = (
        f"{len(run.observations)} values of {with_unit(plan.property_name, plan.unit or 'no unit')}, of which the"
        f" policy {plan.policy} chose what to measure next, with every decision and the whole journal."
    )
    description = said.description or f"{about} {summary}".strip()
    year = (run.time_of(len(run.journal)) or "")[:4]
    names = ", ".join(each.name for each in said.creators)
    citation = said.citation or f"{names + ': ' if names else ''}{title}. Campaign {plan.uid} ({year})."
    keywords = said.keywords or ("active learning", "dataset bias", "materials", plan.property_name)
    filled = {"title": title, "description": description, "citation": citation, "keywords": keywords}
    return said.model_copy(update=filled)


def _instruments(run: RunRecord, said: DatasetSettings, scenario: Scenario | None) -> tuple[MeasuredBy, ...]:
    """Return who measured, the ones asked in vain among them; neither the start set nor an operator is one."""
    counts = Counter(str(row.source) for row in run.observations if row.source not in {START_SET, MANUAL})
    asked = {str(row.recipient) for row in run.requests} - {ANY_SIMULATOR}
    methods = {} if scenario is None else {each.id: _method(each) for each in scenario.instruments}
    found = []
    for name in sorted(counts.keys() | asked | said.instruments.keys()):
        described = said.instruments.get(name, DescribedInstrument())
        found.append(MeasuredBy(name, counts[name], described.method or methods.get(name, ""), described))
    return tuple(found)


def _method(instrument: SimulatorSettings) -> str:
    """Return how an instrument that we simulate comes to its values."""
    match instrument.evaluator:
        case str(name) if name == ASE:
            return f"calculated with {instrument.calculator} (ASE)"
        case str(name) if name == MOLECULES:
            return "calculated with quantum chemistry (GFN2-xTB or density functional theory)"
        case str(name) if name == STRUCTURAL_MODEL:
            return "simulated by structural equations"
        case str(name) if name == TABLE:
            rest = ", else calculated" if instrument.calculates_misses else ""
            return f"looked up in a table that plays the laboratory{rest}"
        case other:
            return f"evaluated by {other}"
