"""The contextual entities of a crate: people, licence, works, software, instruments, and what was done. Pure.

| here | in the crate |
|---|---|
| a creator, an affiliation | `Person`, `Organization` |
| an instrument | `IndividualProduct`, as the specification's chapter on provenance asks for equipment |
| what decided | `SoftwareApplication`: Entropilot, and the packages that decisions depend on; `HowTo`: its policy |
| a campaign, the measurements of an instrument | `CreateAction` with instrument, object, result, beginning and end |
| a column with a unit | `PropertyValue` with `unitText` |

Source: RO-Crate Metadata Specification 1.2, https://w3id.org/ro/crate/1.2
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scenarios.export.about import NO_LICENCE, About, MeasuredBy
from scenarios.export.table import Table
from scenarios.settings.dataset import ORCID, ROR

Entity = dict[str, Any]

ENTROPILOT: Final = "#entropilot"
POLICY: Final = "#policy"
CAMPAIGN: Final = "#campaign"
UID: Final = "#campaign-uid"
UNLICENSED: Final = "#no-licence"

PACKAGES: Final = "https://pypi.org/project/"
"""Where a package of Python is found whose own address is not listed here."""

HOMES: Final[Mapping[str, str]] = {
    "ase": "https://ase-lib.org/",
    "numpy": "https://numpy.org/",
    "pymatgen": "https://pymatgen.org/",
    "scikit-learn": "https://scikit-learn.org/",
    "scipy": "https://scipy.org/",
}
"""Package -> its own address: software must have one in a crate."""

ABOUT_US: Final = "an autonomous-lab agent that keeps a materials dataset from becoming biased"


def ref(name: str) -> dict[str, str]:
    """Return a reference to an entity."""
    return {"@id": name}


def refs(entities: Sequence[Entity]) -> Any:
    """Return references to entities."""
    return one_or_many([ref(each["@id"]) for each in entities])


def one_or_many(values: list[Any]) -> Any:
    """Return a single value by itself, as the specification wants it, and several as a list."""
    return values[0] if len(values) == 1 else values


def licence_entity(about: About) -> Entity:
    """Return the licence, or an entity that says that there is none: a crate must have one or the other."""
    if about.licence_url is None:
        return {"@id": UNLICENSED, "@type": "CreativeWork", "name": "No licence", "description": NO_LICENCE}
    name = str(about.said.licence)
    return {
        "@id": about.licence_url,
        "@type": "CreativeWork",
        "name": name,
        "url": about.licence_url,
        "description": f"The licence {name} of the SPDX licence list",
    }


def people(about: About) -> tuple[list[Entity], list[Entity]]:
    """Return the creators, and the organisations that they work for."""
    organisations: dict[str, Entity] = {}
    persons: list[Entity] = []
    for number, each in enumerate(about.said.creators, 1):
        person: Entity = {
            "@id": f"{ORCID}{each.orcid}" if each.orcid else f"#creator-{number}",
            "@type": "Person",
            "name": each.name,
        }
        if each.affiliation or each.ror:
            url = f"{ROR}{each.ror}" if each.ror else ""
            where: Entity = {"@id": url or f"#organization-{len(organisations) + 1}", "@type": "Organization"}
            where |= {"name": each.affiliation or url} | ({"url": url} if url else {})
            person["affiliation"] = ref(organisations.setdefault(url or each.affiliation, where)["@id"])
        persons.append(person)
    return persons, list(organisations.values())


def works(about: About) -> list[Entity]:
    """Return the publications that the campaign rests on, and what its settings name as its sources."""
    found = [
        {
            "@id": each.url,
            "@type": "ScholarlyArticle",
            "name": each.title,
            "creditText": each.in_words,
            "datePublished": str(each.year),
            "identifier": each.url,
        }
        for each in about.works
    ]
    known = {each["@id"] for each in found}
    return found + [
        {"@id": each, "@type": "CreativeWork", "name": each, "url": each}
        for each in about.said.sources
        if each not in known
    ]


def uid(about: About) -> Entity:
    """Return what names the campaign for ever."""
    return {
        "@id": UID,
        "@type": "PropertyValue",
        "name": "uid of the campaign",
        "propertyID": "entropilot-campaign-uid",
        "value": about.campaign["uid"],
        "description": "Random part of every attempt id: another campaign of this name has another one",
    }


def software(about: About) -> list[Entity]:
    """Return what decided: Entropilot with the packages that it stood on, then the policy."""
    packages: list[Entity] = [
        {
            "@id": f"#package-{name}",
            "@type": "SoftwareApplication",
            "name": name,
            "version": version,
            "url": HOMES.get(name, f"{PACKAGES}{name}/"),
        }
        for name, version in about.software.items()
        if name != "entropilot" and version != "not installed"
    ]
    ours: Entity = {
        "@id": ENTROPILOT,
        "@type": "SoftwareApplication",
        "name": "Entropilot",
        "description": ABOUT_US,
        "version": about.software.get("entropilot", about.made_by),
        "url": f"{PACKAGES}entropilot/",
        "softwareRequirements": refs(packages),
    }
    campaign = about.campaign
    options = ", ".join(f"{name} = {value!r}" for name, value in campaign["policy_options"].items()) or "none"
    policy: Entity = {
        "@id": POLICY,
        "@type": "HowTo",
        "name": f"policy {campaign['policy']}",
        "description": f"chose what to measure next; options: {options}; seed {campaign['seed']}; entropies estimated "
        f"by {campaign['estimator']}. Every choice stands in decisions.csv with its score, runner-up and reason.",
        "identifier": campaign["policy_fingerprint"],
        "isPartOf": ref(ENTROPILOT),
        "citation": one_or_many([ref(each.url) for each in about.works]),
    }
    return [ours, policy, *packages]


def instruments(about: About) -> list[Entity]:
    """Return who measured, and who made the instruments."""
    return [entity for each in about.instruments for entity in _instrument(each)]


def instrument_id(name: str) -> str:
    """Return what an instrument is called in the crate."""
    return f"#instrument-{name}"


def _instrument(each: MeasuredBy) -> Iterator[Entity]:
    described = each.described
    told: Entity = {
        "@id": instrument_id(each.id),
        "@type": "IndividualProduct",
        "name": described.name or each.id,
        "identifier": each.id,
        "description": f"{each.method or 'an instrument of the laboratory'}; {each.values} values of the dataset",
    }
    told |= {"model": described.model} if described.model else {}
    told |= {"serialNumber": described.serial_number} if described.serial_number else {}
    told |= {"url": described.url} if described.url else {}
    if described.manufacturer:
        maker = f"#manufacturer-of-{each.id}"
        yield {"@id": maker, "@type": "Organization", "name": described.manufacturer}
        told["manufacturer"] = ref(maker)
    yield told


def actions(about: About, dataset: str, results: Sequence[str], scenario: str | None) -> list[Entity]:
    """Return what was done: the campaign, and the measurements of each instrument.

    Args:
        about: What is said of the run.
        dataset: Path of the dataset.
        results: Paths of all tables.
        scenario: Path of the settings; None where they are not known.
    """
    campaign = about.campaign
    times = {"startTime": campaign["began_at"]}
    times |= {"endTime": campaign["last_at"]} if campaign["is_finished"] else {}
    status = "CompletedActionStatus" if campaign["is_finished"] else "ActiveActionStatus"
    reason = f"ended: {campaign['reason']}" if campaign["is_finished"] else "had not ended when this was written"
    decided: Entity = {
        "@id": CAMPAIGN,
        "@type": "CreateAction",
        "name": f"Campaign {campaign['name']}",
        "description": f"Campaign {campaign['uid']} chose what to measure; it {reason}.",
        "instrument": [ref(ENTROPILOT), ref(POLICY)],
        "result": one_or_many([ref(each) for each in results]),
        "actionStatus": f"http://schema.org/{status}",
        **times,
    }
    decided |= {"object": ref(scenario)} if scenario else {}
    measured: list[Entity] = [
        {
            "@id": f"#measurements-of-{each.id}",
            "@type": "CreateAction",
            "name": f"Measurements of {each.described.name or each.id}",
            "description": f"{each.values} values of {campaign['property']}{': ' if each.method else ''}{each.method}",
            "instrument": ref(instrument_id(each.id)),
            "result": ref(dataset),
            **times,
        }
        for each in about.instruments
        if each.values
    ]
    return [decided, *measured]


def variables(table: Table) -> list[Entity]:
    """Return the columns of a table as variables, with what they are measured in."""
    return [
        {
            "@id": f"#{table.name}-column-{number}",
            "@type": "PropertyValue",
            "name": each.name,
            "description": each.description,
            **({"unitText": each.unit} if each.unit else {}),
        }
        for number, each in enumerate(table.columns, 1)
    ]
