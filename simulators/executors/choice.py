"""Which executor the settings mean, and whether a cache stands before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.executors.children import ChildExecutor
from simulators.executors.executor import Executor, IdentifyingExecutor
from simulators.executors.in_place import InPlaceExecutor
from simulators.registry import make_evaluator
from simulators.settings import TABLE, SimulatorSettings


def make_executor(
    settings: SimulatorSettings, on_event: Callable[..., Any] = lambda *_args, **_fields: None
) -> Executor:
    """Return what evaluates: a table is looked up in place, all else runs in processes, here or on a cluster.

    A table is read here in any case, so that a wrong one is told now; where a calculator answers for what it lacks,
    both are asked in processes on this machine.

    Args:
        settings: The simulator's.
        on_event: Called with a short name and fields, for the log.

    Raises:
        SettingsError: When an extra lacks, or the evaluator cannot be made.
        StoreError: When the cache is somebody else's file.
        TableError: When the oracle's table cannot be used.
    """
    if settings.evaluator == TABLE:
        oracle = make_evaluator(settings)
        return ChildExecutor(settings) if settings.calculates_misses else InPlaceExecutor(oracle)
    executor = _executor(settings, on_event)
    if not settings.cache:
        return executor
    from simulators.cache.cached_executor import CachedExecutor
    from simulators.cache.store import ResultCache

    cache = ResultCache.open(settings.cache, settings.cache_limit_mb * 1024 * 1024, on_event)
    return CachedExecutor(executor, cache, on_event)


def _executor(settings: SimulatorSettings, on_event: Callable[..., Any]) -> IdentifyingExecutor:
    if not settings.executor:
        return ChildExecutor(settings)
    from simulators.executors.dask.dask_executor import DaskExecutor

    return DaskExecutor(settings, on_event)
