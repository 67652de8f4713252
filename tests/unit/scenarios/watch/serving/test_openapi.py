"""The API's document says of every path what it takes and answers, and every model that it names is there."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator

from scenarios.watch.serving.openapi import EVENT_MODELS, openapi_document, schemas
from scenarios.watch.serving.paths import OPERATIONS, parameters_of

DOCUMENT = openapi_document("1.2.3", "/entropilot")


def test_every_operation_stands_in_it_with_its_parameters_and_its_problem() -> None:
    told = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert told == {(each.path, each.method.lower()) for each in OPERATIONS}
    for each in OPERATIONS:
        document: dict[str, Any] = DOCUMENT["paths"][each.path][each.method.lower()]
        assert [one["name"] for one in document["parameters"]] == [one.name for one in parameters_of(each)]
        assert set(re.findall(r"\{(\w+)\}", each.path)) <= {one["name"] for one in document["parameters"]}
        assert "Problem" in json.dumps(document["responses"]["default"])
        assert ("security" not in document) is each.wants_token


def test_every_reference_leads_somewhere_and_every_schema_is_one() -> None:
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert names <= set(DOCUMENT["components"]["schemas"])
    assert {model.__name__ for model, _ in EVENT_MODELS.values()} <= set(schemas())
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


def test_operations_have_names_of_their_own_and_the_proxy_is_named() -> None:
    names = [each.name for each in OPERATIONS]
    assert len(set(names)) == len(names)
    assert (DOCUMENT["servers"], DOCUMENT["info"]["version"]) == ([{"url": "/entropilot"}], "1.2.3")
