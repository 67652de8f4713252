"""A lab's own topics are those of its mapping; on those that it hears nothing is tried."""

from __future__ import annotations

from scenarios.doctor.lab_topics import LabTopics, lab_topics_of
from tests.support.mapping.samples import compiled


def test_the_topics_are_those_of_the_mapping() -> None:
    mapping = compiled()
    found = lab_topics_of(mapping)
    assert found.said == (mapping.request.topic.text,)
    assert found.heard == mapping.subscriptions
    assert "+" in found.heard[0]


def test_without_a_section_there_are_none() -> None:
    assert lab_topics_of(None) == LabTopics((), ())
