"""The status of an answer tells what is missing, what is in the way, and what cannot be read just now, apart."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import pytest

from protocols.errors import DatabaseAway, EntropilotError, NotPossibleNow, NotThere, OrderRefused, StoreError
from scenarios.watch.reading.find import open_run
from scenarios.watch.serving.openapi import NAMES_OF_RUNS, openapi_document
from scenarios.watch.serving.paths import OPERATIONS, parameters_of
from scenarios.watch.serving.refusals import answer_to


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (NotThere, HTTPStatus.NOT_FOUND),
        (NotPossibleNow, HTTPStatus.CONFLICT),
        (OrderRefused, HTTPStatus.CONFLICT),
        (DatabaseAway, HTTPStatus.SERVICE_UNAVAILABLE),
        (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    ],
)
def test_each_kind_of_error_has_the_status_that_says_it(kind: type[EntropilotError], status: HTTPStatus) -> None:
    answer = answer_to(kind("There is a fault", action="see"))
    assert (answer.status, answer.problem.found) == (status, "There is a fault")


def test_a_folder_without_a_run_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotThere) as error:
        open_run(tmp_path)
    assert answer_to(error.value).status == HTTPStatus.NOT_FOUND


def test_the_document_names_these_of_every_path_that_names_a_run() -> None:
    document = openapi_document("1.2.3")
    for each in OPERATIONS:
        responses = document["paths"][each.path][each.method.lower()]["responses"]
        names_a_run = any(one.name in NAMES_OF_RUNS for one in parameters_of(each))
        assert ({"404", "409"} <= set(responses)) is names_a_run
        assert ("503" in responses) is each.wants_token
