"""Of a group of failures, a person is told the one that explains it."""

from __future__ import annotations

import asyncio

import pytest

from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import BrokerError, StoreError

OURS = BrokerError("The broker is gone")


def test_a_single_failure_explains_itself() -> None:
    error = ValueError("x")
    assert first_failure(BaseExceptionGroup("group", [error])) is error


def test_what_a_person_can_mend_comes_before_our_own_faults_however_deep_it_lies() -> None:
    inner = ExceptionGroup("inner", [KeyError("k"), ExceptionGroup("innermost", [OURS])])
    assert first_failure(ExceptionGroup("outer", [ValueError("x"), inner, RuntimeError("y")])) is OURS


def test_without_one_that_a_person_can_mend_one_of_the_real_failures_is_told_and_never_a_group() -> None:
    errors = [ValueError("x"), RuntimeError("y")]
    assert first_failure(ExceptionGroup("outer", [ExceptionGroup("inner", errors)])) in errors


def test_of_several_that_a_person_can_mend_one_is_told() -> None:
    both = [OURS, StoreError("The disk is full")]
    assert first_failure(ExceptionGroup("outer", both)) in both


async def test_a_real_task_group_is_explained() -> None:
    async def fails() -> None:
        raise OURS

    async def waits() -> None:
        await asyncio.Event().wait()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(waits())
            group.create_task(fails())

    with pytest.raises(BaseExceptionGroup) as caught:
        await both()
    assert first_failure(caught.value) is OURS
