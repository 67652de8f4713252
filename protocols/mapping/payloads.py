"""Payloads of a lab: JSON, one plain number, a row of CSV, a word. Each becomes one document to be searched.

A number or a word is a document with the one field `value`; a row of CSV has a field for each column, as text.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from protocols.mapping.settings import IncomingSettings, OutgoingSettings
from protocols.wire.limits import MAX_PAYLOAD_BYTES

VALUE: Final = "value"
"""Field of a payload that has no names."""

SHOWN_CHARACTERS: Final = 80
"""How much of a payload an error shows."""


class PayloadError(ValueError):
    """A payload that cannot be read, or not be written, as it should."""


def read_payload(settings: IncomingSettings, payload: bytes) -> Any:
    """Return the document of a payload.

    Raises:
        PayloadError: When it is not what it should be.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadError(f"the payload has {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are read")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise PayloadError("the payload is not UTF-8") from None
    match settings.payload:
        case "json":
            return _json(text)
        case "number":
            return {VALUE: number_of(text, settings.decimal)}
        case "csv":
            return _row(settings, text)
        case _:
            return {VALUE: text.strip()}


def number_of(value: Any, decimal: str) -> float:
    """Return the number that a document holds, as such or as text.

    Raises:
        PayloadError: When it is none, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PayloadError(f"{shown(value)} is no number")
    text = value
    if isinstance(value, str):
        other = "," if decimal == "." else "."
        if "_" in value or other in value:  # Python takes the first; of the second nobody knows what is meant
            raise PayloadError(f"{shown(value)} is no number with the decimal mark {decimal!r}")
        text = value.strip().replace(decimal, ".")
    try:
        number = float(text)
    except (ValueError, OverflowError):
        raise PayloadError(f"{shown(value)} is no number") from None
    if not math.isfinite(number):
        raise PayloadError(f"{shown(value)} is not finite")
    return number


def write_payload(settings: OutgoingSettings, fields: Mapping[str, Any]) -> bytes:
    """Return the payload of these fields, in their order.

    Raises:
        PayloadError: When it would be larger than anybody reads.
    """
    match settings.payload:
        case "json":
            text = json.dumps(_nested(fields), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        case "csv":
            text = _csv(settings, fields)
        case _:
            text = _text(next(iter(fields.values()), ""), settings.decimal)
    payload = text.encode(errors="replace")
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadError(f"the message has {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are sent")
    return payload


def shown(value: Any) -> str:
    """Return a value as an error shows it: its beginning."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _json(text: str) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(items)
        if len(content) != len(items):
            raise PayloadError("the payload repeats a key: two readers could understand it differently")
        return content

    def constant(name: str) -> Any:
        raise PayloadError(f"the payload holds {name}, which JSON has not")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except PayloadError:
        raise
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"the payload is not JSON: {str(error)[:100]}; it begins {shown(text)}") from None


def _row(settings: IncomingSettings, text: str) -> dict[str, str]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text.strip()), delimiter=settings.delimiter, strict=True) if row]
    except csv.Error as error:
        raise PayloadError(f"the payload is no CSV: {error}") from None
    names = [*settings.columns] or ([name.strip() for name in rows[0]] if rows else [])
    cells = rows if settings.columns else rows[1:]
    wanted = "one row" if settings.columns else "a header and one row"
    if len(cells) != 1:
        raise PayloadError(f"the payload has {len(rows)} lines of CSV; expected {wanted}")
    if len(cells[0]) != len(names) or len(set(names)) != len(names):
        raise PayloadError(f"the row has {len(cells[0])} cells; expected one for each of {', '.join(names)}")
    return {name: cell.strip() for name, cell in zip(names, cells[0], strict=True)}


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in fields.items():
        *above, last = name.split(".")
        here = tree
        for each in above:
            here = here.setdefault(each, {})
        here[last] = value
    return tree


def _csv(settings: OutgoingSettings, fields: Mapping[str, Any]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=settings.delimiter, lineterminator="\n")
    if settings.header:
        writer.writerow(fields)
    writer.writerow([_text(value, settings.decimal) for value in fields.values()])
    return written.getvalue()


def _text(value: Any, decimal: str) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return repr(value).replace(".", decimal)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
