"""What the generated documents say in words: the meaning of every field, and what no schema can express.

pydantic knows shapes and bounds; units, meanings and the checks between fields stand here. The contract tests keep
this file complete: a field, a value or a message without words fails them, and so do words without a field.
"""

from __future__ import annotations

from typing import Final

FIELD_MEANINGS: Final[dict[str, dict[str, str]]] = {
    "Message": {
        "protocol": "Version of the protocol. A message of another version is quarantined, not guessed at.",
        "type": "Which message this is.",
        "campaign": "The campaign; the same as the campaign level of the topic.",
        "message_id": "Names the message for ever: a repetition carries the same one.",
        "sent_at": "When the sender wrote it: RFC 3339 with an offset. A label; nothing is decided by it.",
    },
    "CandidateRequest": {
        "attempt_id": "Names the attempt for ever. It is evaluated at most once, however often it is requested.",
        "candidate_id": "The candidate to evaluate.",
        "decision": "Number of the decision that chose the candidate.",
        "attempt": "Which attempt at this candidate it is, from 1.",
        "family": "The group whose coverage the campaign balances; a label for the lab.",
        "formula": "Chemical formula; a label for the lab.",
        "structure": "The crystal; null or absent where the lab knows the candidate by its id alone.",
        "properties": "Names of the properties wanted.",
        "deadline_s": "Time that the evaluation may take from its beginning [s].",
    },
    "CandidateResult": {
        "attempt_id": "The attempt that this answers, copied from the request.",
        "candidate_id": "The candidate that was evaluated, copied from the request.",
        "simulator": "Who evaluated; the same as the last level of the topic.",
        "quantities": "What was measured: the properties asked for, and others if there are any.",
        "duration_s": "How long the evaluation took [s].",
    },
    "CandidateFailure": {
        "attempt_id": "The attempt that this answers, copied from the request.",
        "candidate_id": "The candidate that was not evaluated, copied from the request.",
        "simulator": "Who answers; the same as the last level of the topic.",
        "reason": "Why there is no result.",
        "detail": "The reason in words, for people.",
    },
    "ResultReceipt": {
        "attempt_id": "The attempt whose result or failure is committed.",
        "simulator": "Whom the receipt is for; the same as the last level of the topic.",
        "status": "What became of it. Each of them ends the repetition.",
        "detail": "The reason in words, for people; empty where there is nothing to explain.",
    },
    "BiasReport": {
        "step": "Number of the observation that made this point of the bias trajectory; 0 is the start set.",
        "property": "The property whose values the entropies are of.",
        "unit": "Unit of the property.",
        "families": "Every family of the pool.",
        "entropy_range": "Largest less smallest defined entropy [nat]; absent or null with fewer than two.",
        "entropy_std": "Population standard deviation of the defined ones [nat]; absent or null with fewer than two.",
        "mean_gap": "Mean distance of the defined ones to the largest [nat]; absent or null with fewer than two.",
        "poorest_family": "The starved family, to be enriched first: one without a defined entropy, or the one of "
        "smallest entropy.",
        "evenness": "Pielou's evenness of the effective widths exp(entropy), from 0 to 1, all alike; absent or null "
        "with fewer than two.",
        "coverage": "Share of the families that have at least five observations; absent where it is not told.",
    },
    "Status": {
        "client": "Who it is about; the same as the last level of the topic.",
        "role": "What the client is.",
        "health": "How it is.",
        "detail": "More in words, for people.",
        "instance": "Of an agent: names its run folder, the same after every restart; absent from a simulator's.",
        "incumbent": "Of an agent: whether it has been connected for a while. Of two agents of one campaign, a "
        "newcomer gives way to an incumbent, and among equals the greater `instance` to the lesser.",
    },
    "Control": {
        "action": "What to do.",
        "candidate_id": "The candidate; needed by `add_observation` and `exclude_candidate`, unused by the others.",
        "quantity": "The value measured by hand; needed by `add_observation`, unused by the others.",
        "reason": "Why, for the journal.",
    },
    "Quantity": {
        "name": "Name of the property.",
        "value": "Its value, in `unit`.",
        "unit": "Unit, written as the campaign writes it, such as eV/atom.",
        "standard_deviation": "Standard uncertainty of the value, in `unit`; null or absent where not known.",
    },
    "FamilyBias": {
        "family": "Name of the family.",
        "size": "Observations in the dataset.",
        "entropy": "Differential entropy of their values [nat]; null or absent where there is none (no value, say).",
        "entropy_low": "Lower end of its 90 % band [nat]; null or absent where there is none (fewer than five "
        "observations), or the families are too many.",
        "entropy_high": "Upper end of its 90 % band [nat]; as `entropy_low`.",
    },
    "CrystalStructure": {
        "cell": "Lattice vectors as rows, 3 by 3 [Å].",
        "symbols": "Chemical symbols, one an atom.",
        "scaled_positions": "Fractional coordinates, three an atom, in the order of `symbols`.",
    },
}
"""Model -> field -> meaning. What every message carries stands under `Message`."""

VALUE_MEANINGS: Final[dict[str, dict[str, str]]] = {
    "FailureReason": {
        "invalid_request": "The request lacks what this simulator needs (a structure, say).",
        "unsupported": "This simulator does not know the element, the property or the structure.",
        "unknown_candidate": "The oracle's table has no such candidate.",
        "calculation_failed": "The calculation ran and gave no usable answer.",
        "deadline_exceeded": "The evaluation was stopped at its deadline.",
        "crashed": "The evaluating process ended by itself.",
        "interrupted": "The simulator was restarted while it evaluated; it never evaluates an attempt twice.",
    },
    "ReceiptStatus": {
        "accepted": "It is in the journal, and a result is in the dataset.",
        "duplicate": "It was in the journal already; nothing changed.",
        "late": "It came after the candidate was closed; kept in the journal for audit, not in the dataset.",
        "refused": "The result breaks its contract (property, unit, range); the attempt counts as failed, in the "
        "journal.",
    },
    "Health": {
        "online": "Connected.",
        "offline": "Gone: it said goodbye, or the broker sent its last will.",
    },
    "ControlAction": {
        "pause": "Make no new request until `resume`; what is in flight is awaited.",
        "resume": "Go on.",
        "stop": "Make no new request; finish when what is in flight has ended.",
        "add_observation": "Take a value measured by hand into the dataset; needs `candidate_id` and `quantity`.",
        "exclude_candidate": "Never choose a candidate; needs `candidate_id`.",
    },
}
"""Enumeration -> value -> meaning."""

BEYOND_THE_SCHEMA: Final[dict[str, tuple[str, ...]]] = {
    "CandidateRequest": (
        "`structure`: as many `symbols` as `scaled_positions`, and a cell of at least {min_cell_volume:g} Å³.",
        "`decision` and `attempt` are written as integers: 1, not 1.0.",
    ),
    "CandidateResult": (
        "`simulator` is the last level of the topic.",
        "The attempt is one that this campaign made for this candidate; otherwise the message is quarantined.",
        "Exactly one of `quantities` is the campaign's property, in its unit and range; else the receipt is `refused`.",
    ),
    "CandidateFailure": (
        "`simulator` is the last level of the topic.",
        "The attempt is one that this campaign made for this candidate; otherwise the message is quarantined.",
    ),
    "ResultReceipt": ("`simulator` is the last level of the topic.",),
    "BiasReport": ("`step` and `size` are written as integers: 1, not 1.0.",),
    "Status": ("`client` is the last level of the topic.",),
    "Control": (
        "`add_observation` has `candidate_id` and `quantity`, `exclude_candidate` `candidate_id`; if not: quarantine.",
        "The candidate is in the pool, and the action fits what has become of it.",
    ),
}
"""Message -> what a receiver checks and its JSON Schema cannot say."""

EVERY_MESSAGE_BEYOND: Final = (
    "The payload is UTF-8 JSON of at most {max_payload_bytes} bytes.",
    "No object repeats a key; no number is NaN, infinite or too large for a double.",
    "No text ends in a line feed where its pattern ends in `$`, whatever a validator's `$` allows.",
    "`campaign` and `type` agree with the topic.",
    "`sent_at` is a date that exists, in the years 1 to 9999, without a leap second.",
)
"""What holds for every message, and no JSON Schema can say."""

LENIENCE: Final = (
    "A receiver also takes some other spellings of `sent_at` (a space for the T, no seconds, Unix seconds as a text), "
    "and 1.0 for `protocol`. Do not write them: a later version may refuse them."
)
"""Where the code takes more than the schema, said so that nobody relies on it."""
