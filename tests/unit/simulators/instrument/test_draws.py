"""Draws depend on what they are keyed by, and on nothing else."""

from __future__ import annotations

import pytest

from simulators.instrument.draws import generator_for, names_of, of_property
from tests.support import sample_messages as messages


def test_a_generator_is_the_same_for_the_same_names_and_another_for_others() -> None:
    drawn = {
        generator_for(*names).random()
        for names in (("noise", 0, "a", "b"), ("noise", 0, "ab"), ("noise", 1, "a", "b"), ("walk", 0, "a", "b"))
    }
    assert len(drawn) == 4
    assert generator_for("noise", 0, "a").random() == generator_for("noise", 0, "a").random()


def test_a_measurement_is_named_by_instrument_candidate_method_repetition_and_attempt() -> None:
    asked = messages.request("any-id", fidelity="gfn2", replicate=2, attempt=3)
    assert names_of(asked, "xrd", "measurement") == ("xrd", "al-1", "gfn2", "2", "3")
    assert names_of(asked, "xrd", "candidate") == ("al-1",)


@pytest.mark.parametrize(("setting", "found"), [(0.5, 0.5), ({"gap": 0.25}, 0.25), ({"energy": 1.0}, 0.0)])
def test_a_setting_says_something_of_every_property_or_of_those_it_names(setting: object, found: float) -> None:
    assert of_property(setting, "gap") == found  # type: ignore[arg-type]
