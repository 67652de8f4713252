"""The `[lab]` section takes short forms and long ones, and no key that it does not know."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from protocols.mapping.settings import FieldSettings, LabSettings, QuantitySettings, field_of, quantity_of
from tests.support.mapping.samples import changed


def test_an_expression_alone_stands_for_a_table_with_it() -> None:
    assert field_of("source_id") == FieldSettings(value="source_id")
    assert quantity_of("value") == QuantitySettings(value="value")
    long = FieldSettings(value="a", unit="K")
    assert field_of(long) is long
    assert quantity_of(QuantitySettings(value="v", unit="K")).unit == "K"


def test_presence_is_a_word_where_nothing_else_is_said() -> None:
    lab = LabSettings.model_validate(changed(status={"topic": "lab/s"}))
    assert lab.status is not None
    assert (lab.status.payload, lab.status.value, lab.status.online) == ("text", "value", ("online",))


@pytest.mark.parametrize(
    "changes",
    [
        {"request__qos": 2}, {"request__payload": "xml"}, {"result__correlate_by": "luck"}, {"instruments": {}},
        {"instruments": {"Furnace": "F1"}}, {"result__quantities": {}}, {"repeat": {"after_s": 0}}, {"reqest": {}},
        {"request__delimiter": ""}, {"request__topic": ""}, {"result__decimal": ";"},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LabSettings.model_validate(changed(**changes))
