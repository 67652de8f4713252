"""The API as an OpenAPI 3.1 document, made of the paths and the models. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from scenarios.watch.serving.paths import (
    BYTES,
    EVENTS,
    JSON,
    OPERATIONS,
    PROMETHEUS,
    Operation,
    Parameter,
    parameters_of,
)
from scenarios.watch.serving.told import CampaignNews, StreamEnd
from scenarios.watch.state.answers import ControlAnswer, Problem
from scenarios.watch.state.moment import Moment
from scenarios.watch.state.points import Points

REFERENCE: Final = "#/components/schemas/{model}"

EVENT_MODELS: Final[dict[str, tuple[type[BaseModel], str]]] = {
    "points": (Points, "Observations after the last event id, each once and in order; it alone has an id."),
    "moment": (Moment, "The campaign as it stands now, at most four times a second."),
    "campaign": (CampaignNews, "How the campaign and its agent are; when that changes, and every second."),
    "receipt": (ControlAnswer, "What became of an order that was given from here."),
    "slow": (StreamEnd, "The stream ends: its events were read too slowly. Connect again with Last-Event-ID."),
    "bye": (StreamEnd, "The stream ends: the server does, or the run cannot be read any more."),
}
"""Events of a stream -> what they carry, and when."""

NAMES_OF_RUNS: Final = frozenset({"key", "left", "right"})
"""Parameters that name a run."""


def openapi_document(version: str, root_path: str = "") -> dict[str, Any]:
    """Return the document.

    Args:
        version: Of Entropilot.
        root_path: Below which a proxy shows the server.
    """
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Entropilot",
            "version": version,
            "description": "What `entropilot watch` shows, and what an operator can ask for. Every error has the body "
            "Problem.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": root_path or "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of this start: behind # in the address that `entropilot watch` prints.",
                }
            },
        },
    }


def schemas() -> dict[str, Any]:
    """Return the JSON Schema of every model that is answered, posted or told, by name."""
    told = [model for model, _ in EVENT_MODELS.values()]
    models = [each.answer for each in OPERATIONS if each.answer is not None]
    bodies = [each.body for each in OPERATIONS if each.body is not None]
    answered = dict.fromkeys([Problem, *models, *told])
    wanted = [*((model, "serialization") for model in answered), *((model, "validation") for model in bodies)]
    _, document = models_json_schema(wanted, ref_template=REFERENCE)  # type: ignore[arg-type]
    found: dict[str, Any] = document["$defs"]
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    answers = {str(operation.status.value): {"description": operation.words, **_content(operation)}}
    if operation.may_wait:
        answers[str(HTTPStatus.ACCEPTED.value)] = {
            "description": "It is being worked out: ask again.",
            **_content(operation),
        }
    for status, words in _refusals(operation).items():
        answers[str(status.value)] = _problem(words)
    answers["default"] = _problem("It cannot be answered.")
    document: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.words,
        "parameters": [_parameter(each) for each in parameters_of(operation)],
        "responses": answers,
    }
    if operation.body is not None:
        schema = {"$ref": REFERENCE.format(model=operation.body.__name__)}
        document["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    if not operation.wants_token:
        document["security"] = []
    return document


def _refusals(operation: Operation) -> dict[HTTPStatus, str]:
    """Return what the answers say that refuse, for what is asked of runs; the others have the default."""
    if not operation.wants_token:
        return {}
    told = {
        HTTPStatus.SERVICE_UNAVAILABLE: "It cannot be read now: its database is away or damaged, or there are too "
        "many viewers."
    }
    if any(each.name in NAMES_OF_RUNS for each in parameters_of(operation)):
        told |= {
            HTTPStatus.NOT_FOUND: "There is no such run, observation or decision.",
            HTTPStatus.CONFLICT: "It is not possible as the run stands, such as before it has begun.",
        }
    return dict(sorted(told.items()))


def _problem(words: str) -> dict[str, Any]:
    return {
        "description": words,
        "content": {JSON: {"schema": {"$ref": REFERENCE.format(model=Problem.__name__)}}},
    }


def _content(operation: Operation) -> dict[str, Any]:
    if operation.answer is not None:
        one = {"$ref": REFERENCE.format(model=operation.answer.__name__)}
        schema: dict[str, Any] = {"type": "array", "items": one} if operation.is_list else one
    elif operation.media == EVENTS:
        schema = {
            "type": "string",
            "description": "; ".join(f"{name}: {words}" for name, (_, words) in EVENT_MODELS.items()),
        }
    elif operation.media == BYTES:
        schema = {"type": "string", "contentMediaType": BYTES}
    else:
        schema = {"type": "string"} if operation.media == PROMETHEUS else {"type": "object"}
    return {"content": {operation.media: {"schema": schema}}}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.kind}
    if parameter.kind == "integer":
        schema |= {"minimum": parameter.least, "maximum": parameter.most}
    elif parameter.kind == "string":
        schema |= {"enum": list(parameter.choices)} if parameter.choices else {"maxLength": parameter.most}
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.is_needed,
        "description": parameter.words,
        "schema": schema,
    }
