"""What `entropilot control` shows: what became of each order; and how the command ends."""

from __future__ import annotations

import json
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from protocols.errors import EntropilotError, NoAnswer, OrderRefused
from scenarios.control.control import Outcome
from scenarios.control.sender import Answer, Fate

STYLES: Final = {Fate.ACCEPTED: "green", Fate.DUPLICATE: "green", Fate.REFUSED: "red"}

UNANSWERED: Final = frozenset({Fate.NO_ANSWER, Fate.NOT_SENT})


def outcome_table(outcome: Outcome) -> RenderableType:
    """Return what became of each order, with the journal's number."""
    table = Table.grid(padding=(0, 2))
    for each in outcome.answers:
        row = "" if each.row is None else f"row {each.row}"
        words = Text.assemble(
            each.message.action.value.replace("_", " "), (f" {each.about}" if each.about else "", "bold")
        )
        table.add_row(Text(each.fate.value, style=STYLES.get(each.fate, "yellow")), words, row, Text(each.detail))
    who = f"{outcome.place.operator} to {outcome.place.campaign}, message id {outcome.message_id}"
    return Group(table, Text(f"  {who}", style="dim"))


def outcome_json(outcome: Outcome) -> str:
    """Return the same as JSON."""
    content = {
        "campaign": outcome.place.campaign,
        "operator": outcome.place.operator,
        "message_id": outcome.message_id,
        "signed": outcome.place.signing.has_keys,
        "orders": [_as_tree(each) for each in outcome.answers],
        "notes": list(outcome.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def require_carried_out(outcome: Outcome) -> None:
    """Check that every order was accepted, or had been before.

    Raises:
        OrderRefused: When one was refused.
        NoAnswer: When one has no answer.
    """
    if (failure := _failure(outcome)) is not None:
        raise failure


def _failure(outcome: Outcome) -> EntropilotError | None:
    silent = next((each for each in outcome.answers if each.fate in UNANSWERED), None)
    refused = [each for each in outcome.answers if each.fate is Fate.REFUSED]
    if silent is not None and silent.fate is Fate.NOT_SENT:
        return NoAnswer(
            f"{_named(silent)} reached no agent of {outcome.place.campaign}: {silent.detail}",
            expected="the agent of the campaign, at work on this broker",
            action="`entropilot status` shows who is there; start the agent, then ask again",
        )
    if silent is not None:
        return NoAnswer(
            f"{_named(silent)} has no answer: {silent.detail}",
            expected="a receipt of the agent",
            action=f"give the same command again with --message-id {outcome.message_id}: what is carried out already "
            "is then answered as a duplicate, and nothing happens twice; `entropilot status` shows who is there",
        )
    if refused:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        return OrderRefused(
            f"The agent refuses {_named(refused[0])}: {refused[0].detail}{more}",
            expected="an order that can be carried out",
            action="correct it; it needs another message id than this one, which stays refused",
        )
    return None


def _named(answer: Answer) -> str:
    words = answer.message.action.value.replace("_", " ")
    return f"{words} {answer.about}".rstrip()


def _as_tree(answer: Answer) -> dict[str, object]:
    return {
        "action": answer.message.action.value,
        "about": answer.about,
        "message_id": answer.message.message_id,
        "status": answer.fate.value.replace(" ", "_"),
        "detail": answer.detail,
        "row": answer.row,
        "digest": answer.digest,
    }
