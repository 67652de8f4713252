"""What messages that change nothing may take of a recording runs out, and comes back slowly."""

from __future__ import annotations

from protocols.recording.allowance import IDLE_BYTES, IdleAllowance


class Clock:
    """A clock that is set."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_flood_takes_what_is_there_and_not_a_byte_more() -> None:
    allowance = IdleAllowance(clock=Clock())
    assert sum(allowance.take(1_000) for _ in range(100_000)) == IDLE_BYTES // 1_000


def test_what_is_too_large_takes_nothing() -> None:
    allowance = IdleAllowance(100, 0.0, Clock())
    assert [allowance.take(size) for size in (101, 100, 1)] == [False, True, False]


def test_it_fills_again_slowly_and_never_above_its_capacity() -> None:
    clock = Clock()
    allowance = IdleAllowance(100, 2.0, clock)
    assert allowance.take(100)
    clock.now_s = 10.0
    assert [allowance.take(size) for size in (21, 20, 1)] == [False, True, False]
    clock.now_s = 1e6
    assert [allowance.take(size) for size in (101, 100, 1)] == [False, True, False]
