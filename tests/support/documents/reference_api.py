"""The page of the API that `entropilot watch` serves, made from its paths and models."""

from __future__ import annotations

import json
from typing import Any, Final

from scenarios.watch.serving.openapi import EVENT_MODELS, schemas
from scenarios.watch.serving.paths import OPERATIONS, Operation, parameters_of

HEAD: Final = """# The API of the page

<!-- Made by `python -m tests.support.documents.reference`; do not edit. -->

[`entropilot watch`](../how-to/watch.md) serves its page and what the page asks for. Programs may ask the same; the
server tells all of this as OpenAPI 3.1 at `/api/openapi.json`.

```text
curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8321/api/runs
```

- The token stands behind `#` in the address that the command prints, or in the file of `--token-file`.
- A run is named by its key, as the list of runs says it. Numbers that are not finite are null, times RFC 3339 in UTC,
  candidates have the names of their table.
- What cannot be answered has a status of HTTP from 400 on and the body `Problem`: what was found, what was expected,
  and what to do. 401: no token; 403: a page of somebody else asks; 404: no such run, observation or decision; 409: not
  possible as things stand; 413, 414, 415: too large, too long, not JSON; 422: a parameter is wrong; 429: more than five
  orders a second; 503: it cannot be read now (database away or damaged), or there are more than fifty viewers.
- Where 202 is named, the answer may say `computing`: ask again until it does not.
- An order is what [`entropilot control`](../how-to/operate.md) takes, with the members of the message `control`
  ([messages](messages.md)); `row` has the cells of a new candidate by column.
"""

EVENTS: Final = """
## Events

A stream (`/api/runs/{key}/events`) is server-sent events. Only `points` have an id: the row of the journal up to which
all is told. Who comes back with it in the header `Last-Event-ID` misses no observation and gets none twice. At most 64
events wait for a reader; who is slower is told so and cut off.

| event | content | what it tells |
|---|---|---|
"""

SERIES: Final = """
## Layout of a series

`/api/runs/{key}/series` answers bytes: the length of a header as an unsigned 32-bit number, little end first; the
header, JSON in UTF-8 filled with spaces to a multiple of four, with `from`, `to`, `rows`, `total`, `reduced` and
`columns`; then each column in turn as 32-bit floats, little end first, NaN where a figure is not defined. A column is
`{"name": …}` (`observation`, `sequence`), `{"metric": …}`, or `{"family": …, "what": …}` with `entropy`, `low`, `high`,
`size`, and `min` and `max` where a row stands for several observations (`reduced`).
"""


def api_reference() -> str:
    """Return the page."""
    models = schemas()
    parts = [HEAD, "\n## Paths\n", *(_operation(each) for each in OPERATIONS), EVENTS]
    parts += [f"| `{name}` | `{model.__name__}` | {words} |\n" for name, (model, words) in EVENT_MODELS.items()]
    parts += [SERIES, "\n## Models\n", *(_model(name, models[name]) for name in sorted(models))]
    return "".join(parts).rstrip() + "\n"


def _operation(operation: Operation) -> str:
    answer = operation.media if operation.answer is None else f"`{operation.answer.__name__}`"
    told = f"list of {answer}" if operation.is_list else answer
    also = ", 202 while it is worked out" if operation.may_wait else ""
    posted = "" if operation.body is None else f" Body: `{operation.body.__name__}`."
    free = "" if operation.wants_token else " No token is asked for."
    text = f"\n### {operation.method} `{operation.path}`\n\n{operation.words}{posted}{free} "
    text += f"Answer: {operation.status.value}{also}, {told}.\n"
    taken = [each for each in parameters_of(operation) if each.where != "path"]
    if not taken:
        return text
    rows = [f"| `{each.name}` | {_kind(each)} | {_default(each.default)} | {each.words} |\n" for each in taken]
    return f"{text}\n| parameter | kind | default | meaning |\n|---|---|---|---|\n{''.join(rows)}"


def _kind(parameter: Any) -> str:
    if parameter.choices:
        return ", ".join(f"`{each}`" for each in parameter.choices)
    where = " in a header" if parameter.where == "header" else ""
    if parameter.kind == "integer":
        return f"whole number, {parameter.least} to {parameter.most}{where}"
    return {"string": f"text, at most {parameter.most} characters", "boolean": "true or false"}[parameter.kind] + where


def _default(value: object) -> str:
    return "" if value is None else f"`{json.dumps(value)}`"


def _model(name: str, schema: dict[str, Any]) -> str:
    words = _one_line(schema.get("description", ""))
    if "properties" not in schema:
        choices = ", ".join(f"`{each}`" for each in schema.get("enum", ()))
        return f"\n### {name}\n\n{words} One of {choices}.\n"
    rows = [
        f"| `{field}` | {_type(each)} | {_one_line(each.get('description', ''))} |\n"
        for field, each in schema["properties"].items()
    ]
    return f"\n### {name}\n\n{words}\n\n| field | type | meaning |\n|---|---|---|\n{''.join(rows)}"


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a field in words."""
    named = [schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else [schema["const"]] if "const" in schema else []
    if named := named or schema.get("enum", []):
        return ", ".join(f"`{each}`" for each in named)
    for several in ("anyOf", "allOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[several]))
    if schema.get("type") == "array":
        inner = schema.get("items") or {}
        return f"list of {_type(inner)}" if inner else "list"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"{_type(inner)} by name" if isinstance(inner, dict) and inner else "object"
    return str(schema.get("type", "anything"))


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
