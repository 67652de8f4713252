"""Writes the scenario: TOML with a comment beside everything that a person will want to change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from scenarios.init.columns import Guess, bare_name

MOST_BUDGET: Final = 20
"""Evaluations that a start asks for at most: an afternoon of a lab, to see that all goes well."""

PATIENCE_S: Final = 3600
"""Time that a start gives a lab to answer [s]."""

_PLAIN: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")


def scenario_text(guess: Guess, name: str, instrument: str, file: str) -> str:
    """Return the scenario.

    Args:
        guess: What the table's columns are.
        name: Of the scenario.
        instrument: Our id of the first instrument.
        file: Name of the scenario's file.
    """
    return (
        "\n".join((*_pool(guess, name, file), *_campaign(guess), *_request(guess, instrument), *_answers(guess))) + "\n"
    )


def _pool(guess: Guess, name: str, file: str) -> Iterator[str]:
    yield f"# A start for {guess.path.name} and a lab with messages of its own. Correct what is guessed, then:"
    yield f"#   entropilot lab try {file}                        # what would be sent for the first candidate"
    yield f"#   entropilot lab try {file} --topic … --payload …  # how an answer would be understood"
    yield f"#   entropilot agent {file} --dry-run                # the first requests, sent to nobody"
    yield f"#   entropilot agent {file} --live --broker mqtt://lab:1883   # when all are right"
    yield "# Labs of other kinds: entropilot lab show self_driving_lab, plc, home_assistant or phone."
    yield ""
    yield f"name = {_quoted(name)}"
    yield ""
    yield "[pool]"
    yield f"path = {_quoted(guess.path.name)}"
    yield ""
    yield "[pool.columns]"
    if guess.id is None:
        yield '# id = "…"   # no column of distinct names was found; candidates are named by their content'
    else:
        yield f"id = {_quoted(guess.id)}" + _because(guess, "id")
    if guess.family is None:
        yield "family = []   # one family of all; name a column of kinds, and each of them is covered evenly"
    else:
        yield f"family = {_quoted(guess.family)}" + _because(guess, "family")
    yield f"property = {_quoted(guess.property)}" + _because(guess, "property")
    unit_note = "" if guess.unit else "   # its unit, as you want it in the dataset"
    yield f"unit = {_quoted(guess.unit)}{unit_note}"
    yield f"features = [{', '.join(map(_quoted, guess.parameters))}]   # what the lab sets"
    if guess.unused:
        yield f"# not used: {', '.join(guess.unused)}"
    if guess.known < guess.rows:
        yield f'on_missing = "unknown"   # {guess.rows - guess.known} of {guess.rows} rows are not measured yet'
    yield "# valid_range = [0.0, 1000.0]   # what can be true; a value outside is refused"
    for key, value in guess.format.model_dump(mode="json", exclude_defaults=True).items():
        yield f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _campaign(guess: Guess) -> Iterator[str]:
    yield ""
    yield "[campaign]"
    yield f"budget = {max(1, min(MOST_BUDGET, guess.rows - guess.known or guess.rows))}   # evaluations in all"
    yield "parallel = 1   # requests that are open at once"
    yield f"request_timeout_s = {PATIENCE_S}   # silence after which a request counts as lost"


def _request(guess: Guess, instrument: str) -> Iterator[str]:
    yield ""
    yield "[live]"
    yield 'brokers = []   # brokers at which --live may drive this lab, as in ["lab:1883"]'
    yield ""
    yield "# --- What the lab is told, and what it says. Topics and fields are those of your lab; change them freely."
    yield ""
    yield "[lab.instruments]"
    yield f"{instrument} = {_quoted(instrument)}   # our id (small letters) = the lab's own name of it"
    yield ""
    yield "[lab.request]"
    yield 'topic = "lab/{instrument}/run"'
    yield 'payload = "json"   # or number, csv, text'
    yield "qos = 1"
    yield "retain = false"
    yield "# constants = { program = 3 }   # what always stands in it"
    yield ""
    yield "[lab.request.fields]   # field of the lab = where our request has it, by JMESPath"
    yield 'job = "attempt_id"   # the lab repeats it with its answer'
    if guess.id is not None:
        yield 'sample = "source_id"   # the id as the table writes it'
    taken = {"job", "sample"}
    for column, unit in guess.parameters.items():
        field = _field(bare_name(column), taken)
        expression = f"feature.{column if _PLAIN.fullmatch(column) else _inner(column)}"
        if unit:
            told = f"{{ value = {_quoted(expression)}, from_unit = {_quoted(unit)}, unit = {_quoted(unit)} }}"
            yield f"{field} = {told}   # unit: as the lab wants it"
        else:
            yield f"{field} = {_quoted(expression)}"


def _answers(guess: Guess) -> Iterator[str]:
    sample = {"job": "6fff4132-d000000-086e999c-a1", "value": 1.5, "error": 0.1}
    yield ""
    yield "[lab.result]"
    yield 'topic = "lab/{instrument}/done"'
    yield 'correlate_by = "attempt_id"   # or candidate_id, source_id, correlation_data (MQTT 5), only'
    yield 'id = "job"   # where the message has that id'
    yield "# A message as the lab really sends it: what is looked for below must be in it."
    yield f"example = '{json.dumps(sample)}'"
    yield ""
    yield f"[lab.result.quantities.{_quoted(guess.property)}]"
    yield 'value = "value"'
    yield f"unit = {_quoted(guess.unit)}   # as the lab gives it; converted into the unit above"
    yield 'standard_deviation = "error"   # leave out where the lab does not tell it'
    yield ""
    yield "# [lab.failure]   # how the lab says that there is no result; without it, silence ends an attempt"
    yield '# topic = "lab/{instrument}/failed"'
    yield '# id = "job"'
    yield '# detail = "why"'
    yield ""
    yield "# [lab.status]   # how the lab says who is there; without it, its instruments count as there"
    yield '# topic = "lab/{instrument}/presence"'
    yield '# online = ["online"]'
    yield '# offline = ["offline"]'
    yield ""
    yield "# [lab.receipt]   # what became of an answer, or why it was not understood; without it, nobody is told"
    yield '# topic = "lab/{instrument}/answer"'
    yield '# fields = { job = "attempt_id", status = "status", why = "detail" }'
    yield ""
    yield "# [lab.repeat]   # only where the lab carries out each job once, however often it is sent"
    yield "# safe = true"
    yield "# after_s = 600"
    yield "# times = 2"


def _because(guess: Guess, what: str) -> str:
    return f"   # guessed: {guess.why[what]}" if what in guess.why else ""


def _quoted(text: str) -> str:
    """Return a basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inner(name: str) -> str:
    """Return a quoted name of JMESPath."""
    return json.dumps(name, ensure_ascii=False)


def _field(name: str, taken: set[str]) -> str:
    """Return a field's name of plain letters that no other has."""
    plain = _NOT_IN_A_NAME.sub("_", name.lower()).strip("_") or "parameter"
    number, found = 1, plain
    while found in taken:
        number += 1
        found = f"{plain}_{number}"
    taken.add(found)
    return found
