"""What the generated documents say in words: the meaning of every value, and what no schema can express.

pydantic knows shapes and bounds, and what each field means from the docstring beside it; the checks between fields
stand here. The contract tests keep all of it complete: a field, a value or a message without words fails them.
"""

from __future__ import annotations

from typing import Final

VALUE_MEANINGS: Final[dict[str, dict[str, str]]] = {
    "FailureReason": {
        "invalid_request": "The request lacks what this simulator needs (a structure, say).",
        "unreadable_request": "The simulator could not read the request: it was damaged on the way, or is of another "
        "version.",
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
        "contradicts": "The journal holds another result of this attempt, which stays; this one is in the journal as a "
        "contradiction.",
        "late": "Nobody waits for it: another value came first, say, or the campaign is over. A result is kept for "
        "audit.",
        "refused": "It cannot be used, and `detail` says why; a corrected one is welcome, in a message of its own id.",
        "withdrawn": "Nobody waits for this attempt any more, says the agent by itself: whoever has not begun it "
        "leaves it.",
    },
    "Health": {
        "online": "Connected.",
        "offline": "Gone: it said goodbye, or the broker sent its last will.",
    },
    "ControlAction": {
        "pause": "Make no new request until `resume`; what is in flight is awaited.",
        "resume": "Go on.",
        "stop": "Make no new request; finish when what is in flight has ended.",
        "add_observation": "Take a value measured manually into the dataset; needs a candidate and `quantity`.",
        "add_observations": "Take values into the dataset, all or none of them; needs `quantities`.",
        "exclude_candidate": "Never choose a candidate; needs a candidate.",
        "requeue_candidate": "Ask again for a candidate that was abandoned, or whose value was retracted, at no "
        "further cost; let one that was excluded, or that no decision chose, be chosen again. Needs a candidate.",
        "add_candidates": "Let candidates join the pool, all or none of them; needs `candidates`.",
        "retract_observation": "Take a value out of the dataset: decisions from then on are made without it. Needs a "
        "candidate.",
        "amend_observation": "Correct a value in the dataset; needs a candidate and `quantity`.",
        "approve_decision": "Let the requests of a decision go out that waits for approval; needs `decision`.",
        "veto_decision": "Drop a decision that waits for approval and rule its candidates out, at no cost; needs "
        "`decision`.",
        "set_budget": "Let so many candidates be requested in all, not fewer than were; needs `budget`.",
    },
    "ControlStatus": {
        "accepted": "It is carried out and in the journal, or asks for what is so already.",
        "duplicate": "It was carried out before, under the same message id; nothing changed, and `row` is that of the "
        "first time.",
        "refused": "It cannot be carried out, and `detail` says why; nothing changed but a note of the refusal.",
    },
    "CampaignPhase": {
        "running": "Requests are made as there are results.",
        "paused": "No new request is made until it is resumed.",
        "stopping": "No new request is made; it ends when what is in flight has.",
        "finished": "Nothing is in flight, and nothing more is asked unless its budget grows.",
    },
}
"""Enumeration -> value -> meaning."""

BEYOND_THE_SCHEMA: Final[dict[str, tuple[str, ...]]] = {
    "CandidateRequest": (
        "`structure` or `molecule`, or neither; not both.",
        "`structure`: as many `symbols` as `scaled_positions`, and a cell of at least {min_cell_volume:g} Å³.",
        "`geometry`: as many `symbols` as `positions`, and no two atoms closer than {min_distance:g} Å.",
        "`decision`, `attempt` and `replicate` are written as integers: 1, not 1.0.",
    ),
    "CandidateResult": (
        "`simulator` is the last level of the topic.",
        "The attempt is one that this campaign made for this candidate; otherwise the message is quarantined.",
        "Exactly one of `quantities` is the campaign's property, in its unit and range; else the receipt is `refused`.",
        "Nobody opens what `files` link to: who keeps `sha256` can tell later whether a file is still the same.",
    ),
    "CandidateFailure": (
        "`simulator` is the last level of the topic.",
        "The attempt is one that this campaign made for this candidate; otherwise the message is quarantined.",
    ),
    "ResultReceipt": ("`simulator` is the last level of the topic.",),
    "MetricsReport": ("`observation` and `size` are written as integers: 1, not 1.0.",),
    "Status": ("`client` is the last level of the topic.",),
    "Capabilities": (
        "`simulator` is the last level of the topic.",
        "`slots` is written as an integer: 1, not 1.0.",
    ),
    "CapabilitiesRequest": (),
    "Control": (
        "`operator` is the last level of the topic.",
        "The fields that its action needs are there; the candidate is in the pool, and the action fits it.",
        "`add_candidates` has `candidates` with new ids, families of the pool, as many features.",
        "`structure`: as many `symbols` as `scaled_positions`, and a cell of at least {min_cell_volume:g} Å³.",
        "`decision` and `budget` are written as integers: 1, not 1.0.",
    ),
    "ControlReceipt": ("`operator` is the last level of the topic.", "`row` is written as an integer: 1, not 1.0."),
    "CampaignState": ("Its counts are written as integers: 1, not 1.0.",),
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
