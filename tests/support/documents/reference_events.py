"""The page of all events of the journal, made from their classes: what each means, and every field of it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
from typing import Any, Final

from agent.campaign import events
from agent.campaign.event_descriptions import EVENT_DESCRIPTIONS
from agent.campaign.events import EVENT_TYPES, OF_CONTROLS

HEAD: Final = """# Events of the journal

<!-- Made by `python -m tests.support.documents.reference`; do not edit. -->

The journal (`campaign.db`, table `journal`) holds one row for each fact, in order: `sequence`, `recorded_at`, `kind`
(the headings below), `payload` (the fields, as JSON), and the digest of the row before. An event is never changed or
removed; whatever a campaign is follows from them ([durability](../explanation/durability.md)). Read it with any SQLite
tool, by `entropilot why`, or in Python: `entropilot.open_run(…)`.

A field with a default may be absent in journals of earlier versions. An event that brings, corrects or takes away a
value is a point of the bias trajectory. The name in the log is that of the line in `agent.jsonl`.
"""

_QUANTITY: Final = "`name`, `value`, `unit`, `standard_deviation` of each"

MEANINGS: Final = {
    "abilities": "what it can do: properties, methods, elements, ranges, slots, expected time",
    "acquired": "how many candidates had their value by then",
    "action": "which order, by the name of the message",
    "added": "candidates that the policy made, which join the pool with this decision",
    "attempt": "number of the attempt for this candidate, from 1",
    "attempt_id": "names the attempt for ever",
    "based_on": "the last row of the journal that the decision knew",
    "before": "what it was",
    "began_at": "from when on orders are this campaign's",
    "best": "best mean gap so far [nat]",
    "best_observation": "at which observation that was",
    "budget": "how many may be requested in all from now on, or what they may cost",
    "candidate_id": "which candidate",
    "candidate_ids": "which candidates",
    "candidates": "what joins the pool: id, family, features and what it is made of",
    "conditions": f"what it was measured at: {_QUANTITY}",
    "decision": "number of the decision, from 0",
    "detail": "what the lab, or the check, said",
    "details": "figures that the policy keeps with it, such as predictions; see `entropilot why`",
    "duration_s": "how long the evaluation took, by the instrument [s]",
    "files": "links to raw files: `name`, `uri`, `sha256`, `size_bytes` of each",
    "fingerprint": "digest of all that the decision may depend on besides journal, settings and pool",
    "gain": "by how much it would have had to fall [nat]",
    "instrument": "which instrument",
    "limits": "what may be asked for from now on",
    "mean_gap": "the mean gap at that observation [nat]",
    "message_id": "of the message that brought it about",
    "observation": "number of the observation, from 1",
    "permanent": "whether no other attempt can succeed",
    "plan": "all that the campaign was started with: `[campaign]` and what follows from the pool; it never changes",
    "policy": "which policy decided",
    "quantities": f"all that was reported: {_QUANTITY}",
    "reason": "why, in words",
    "recipient": "who is asked; `any` where whoever is there may answer",
    "rule": "which rule",
    "runner_up": "the best candidate that was not chosen",
    "runner_up_score": "its score",
    "scores": "what the policy ranked them by; larger is better",
    "seed": "seed of the decision, of the campaign's seed and its number",
    "simulator": "which instrument",
    "since": "the observation since which the best has not fallen by `gain`",
    "target_family": "the family that the policy meant to enrich",
    "tolerance": "a gap that does not count [nat]",
    "value": "of the campaign's property [unit of the plan]",
    "values": "their values [unit of the plan]",
    "versions": "of Entropilot, Python and the numerical libraries that began it",
    "waited_s": "for how long [s]",
    "why": "why, in words",
}
"""What fields mean that say nothing of themselves where they are written; `Event.field` goes before `field`."""


def event_reference() -> str:
    """Return the page."""
    parts = [HEAD, _contents(), *(_event(kind) for kind in EVENT_TYPES)]
    return "\n".join(parts).rstrip() + "\n"


def _contents() -> str:
    rows = "\n".join(f"| [`{kind.__name__}`](#{kind.__name__.lower()}) | {_summary(kind)} |" for kind in EVENT_TYPES)
    return f"| event | what happened |\n|---|---|\n{rows}\n"


def _event(kind: type[Any]) -> str:
    described = _documented_fields(kind)
    rows = "\n".join(
        f"| `{field.name}` | {_kind(field.type)} | {_default(field)} | {_cell(described.get(field.name, ''))} |"
        for field in dataclasses.fields(kind)
    )
    table = f"| field | kind | default | what it is |\n|---|---|---|---|\n{rows}\n"
    return f"## {kind.__name__}\n\n{_prose(kind)}\n\n{_effects(kind)}\n\n{table}"


def _effects(kind: type[Any]) -> str:
    row = EVENT_DESCRIPTIONS[kind]
    told = [
        f"In the log: `{row.log_name}`{' (a warning)' if row.is_warning else ''}."
        if row.log_name
        else "Not in the log."
    ]
    told += ["Brings values into the dataset."] if row.observations and not row.corrects else []
    told += ["Corrects a value of the dataset."] if row.corrects else []
    told += ["Takes a value out of the dataset."] if row.takes_away else []
    told += ["Opens an attempt."] if row.opens_request else []
    told += ["Closes an attempt."] if row.closes_attempt else []
    told += ["Closes every open attempt of its candidate."] if row.closes_candidate else []
    told += ["Made by an operator's order, where it has a `message_id`."] if kind in OF_CONTROLS else []
    return " ".join(told)


def _summary(kind: type[Any]) -> str:
    return _cell(inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0])


def _prose(kind: type[Any]) -> str:
    text = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes:\n")[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _documented_fields(kind: type[Any]) -> dict[str, str]:
    """Return what stands as a text below each field, or in the section Attributes of the docstring."""
    tree = ast.parse(inspect.getsource(events))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    found = dict(re.findall(r"^    (\w+): (.+)$", inspect.cleandoc(kind.__doc__ or ""), re.MULTILINE))
    for field, text in itertools.pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as said)):
                found[name] = " ".join(inspect.cleandoc(said).split())
    return {**_usual(kind), **found}


def _usual(kind: type[Any]) -> dict[str, str]:
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: MEANINGS.get(f"{kind.__name__}.{name}", MEANINGS.get(name, "")) for name in names}


def _kind(annotation: object) -> str:
    text = str(annotation).replace("typing.", "")
    known = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "AwareDatetime": "time"}
    plain = re.sub(r"\b(str|int|float|bool|AwareDatetime)\b", lambda found: known[found[0]], text)
    plain = re.sub(r"tuple\[(.+), \.\.\.\]", r"list of \1", plain)
    plain = re.sub(r"Mapping\[text, (.+)\]", r"\1 by name", plain)
    return _cell(plain.replace(" | None", ", or none"))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`" if field.default not in {"", None, ()} else "none"
    return "none" if field.default_factory is not dataclasses.MISSING else "**required**"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
