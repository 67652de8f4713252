"""Rows of a table: what is refused of an id is what no message can carry."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from protocols.tables.rows import _NOT_SENT
from protocols.wire.messages import SourceId

SOURCE_ID: TypeAdapter[str] = TypeAdapter(SourceId)

EDGES = (0x00, 0x20, 0x7F, 0xA0, 0x2028, 0x202A, 0xD800, 0xDC00, 0xE000, 0xFFFF, 0x10FFFF)
"""Where a kind of characters begins or ends."""


def can_be_sent(text: str) -> bool:
    try:
        return SOURCE_ID.validate_python(text) == text
    except ValidationError:
        return False


@pytest.mark.parametrize("point", sorted({max(0, edge + step) for edge in EDGES for step in (-1, 0)}))
def test_an_id_is_refused_for_the_characters_that_no_message_can_carry(point: int) -> None:
    assert (_NOT_SENT.search(f"a{chr(point)}b") is None) == can_be_sent(f"a{chr(point)}b")
