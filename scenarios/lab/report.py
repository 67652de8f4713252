"""Shows how a message would be understood, and how a request would be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from protocols.mapping.outgoing import LabMessage
from protocols.wire.messages import CandidateFailure, CandidateRequest, CandidateResult, Quantity, Status
from scenarios.lab.trial import HeardTrial


def heard_table(trial: HeardTrial) -> RenderableType:
    """Return how a message would be understood, line by line."""
    table = _table()
    if trial.message is None and trial.scalar is None:
        table.add_row("passed over", "no rule concerns it: `when` finds nothing in the message")
        return table
    table.add_row("understood by", f"[{trial.rule}]")
    for name, value in _lines(trial):
        table.add_row(name, value)
    if trial.assumed:
        table.add_row("assumed", trial.assumed)
    return table


def heard_json(trial: HeardTrial) -> str:
    """Return the same as JSON: our message, or null."""
    message = None if trial.message is None else trial.message.model_dump(mode="json", exclude_none=True)
    told: dict[str, object] = {"rule": trial.rule or None, "message": message}
    if trial.scalar is not None:
        told["quantity"] = trial.scalar.model_dump(mode="json", exclude_none=True)
    return json.dumps(told, indent=2, ensure_ascii=False)


def sent_table(request: CandidateRequest, recipient: str, messages: Sequence[LabMessage]) -> RenderableType:
    """Return what would be sent for a request, message by message."""
    table = _table()
    table.add_row("candidate", request.source_id or request.candidate_id)
    table.add_row("instrument", recipient)
    for each in messages:
        table.add_row(Text("sent", "bold"), Text(each.topic, "bold"))
        table.add_row("payload", each.payload.decode(errors="replace"))
        table.add_row("QoS", f"{each.qos}{', retained' if each.retain else ''}")
        if each.response_topic:
            table.add_row("answer to", each.response_topic)
            table.add_row("correlation data", each.correlation_data.decode())
    return table


def sent_json(request: CandidateRequest, recipient: str, messages: Sequence[LabMessage]) -> str:
    """Return the same as JSON."""
    sent = [
        {
            "topic": each.topic,
            "payload": each.payload.decode(errors="replace"),
            "qos": each.qos,
            "retain": each.retain,
            **(
                {"response_topic": each.response_topic, "correlation_data": each.correlation_data.decode()}
                if each.response_topic
                else {}
            ),
        }
        for each in messages
    ]
    told = {"candidate": request.source_id or request.candidate_id, "instrument": recipient, "sent": sent}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _table() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _lines(trial: HeardTrial) -> Iterator[tuple[str, str]]:
    match trial.message:
        case CandidateResult() as result:
            yield "instrument", result.simulator
            yield "attempt", result.attempt_id
            yield "candidate", result.candidate_id
            yield from map(_line, result.quantities)
            for name, remark in (result.provenance or {}).items():
                yield f"remark {name}", str(remark)
        case CandidateFailure() as failure:
            yield "instrument", failure.simulator
            yield "attempt", failure.attempt_id
            yield "reason", failure.reason.value
            yield "detail", failure.detail
        case Status() as status:
            yield "instrument", status.client
            yield "is", status.health.value
        case None if trial.scalar is not None:
            yield _line(trial.scalar)
        case None:
            pass


def _line(quantity: Quantity) -> tuple[str, str]:
    deviation = "" if quantity.standard_deviation is None else f" ± {quantity.standard_deviation:g}"
    return quantity.name, f"{quantity.value:.10g}{deviation} {quantity.unit}".rstrip()
