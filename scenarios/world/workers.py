"""Processes that share a calculation, and that Ctrl-C ends at once and without a word.

A terminal sends SIGINT to the whole group of processes. The workers do not hear it, from their first moment on: they
are born with the signal blocked, for an initializer comes a second too late. Who started them ends them.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, Final

SAFE_PATH_VARIABLE: Final = "PYTHONSAFEPATH"
"""What Python reads as its option -P."""

BLAS_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""How many threads a process uses for its sums."""


_STARTING: Final = threading.Lock()
"""Held while a process starts."""


class _Worker(SpawnProcess):
    """A process that does not run the script of whoever starts it again: it needs modules of ours alone.

    Python would, to find what was defined there; a script that calls us without `if __name__ == "__main__":` would then
    call us in every worker again.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - multiprocessing's own name
        with _STARTING, _without_script(sys.modules["__main__"]):
            return SpawnProcess._Popen(process_obj)  # noqa: SLF001 - what it overrides


class _Workers(SpawnContext):
    """Starts such processes."""

    Process = _Worker


@contextmanager
def _without_script(script: ModuleType) -> Iterator[None]:
    """Let the main module look, for a moment, as if it came from no file."""
    named: dict[str, Any] = {
        name: script.__dict__[name] for name in ("__file__", "__spec__") if name in script.__dict__
    }
    script.__dict__.pop("__file__", None)
    script.__spec__ = None
    try:
        yield
    finally:
        script.__dict__.update(named)


@contextmanager
def workers(
    count: int, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """Share work among a few fresh processes; who leaves with an exception ends them, whatever they are at.

    Args:
        count: How many.
        initializer: Called once in each.
        arguments: Of the initializer. They must be small: a large one holds up the start of each process.
    """
    others = set(multiprocessing.active_children())
    with safe_path():  # from here on: the executor's queues already start a process of multiprocessing's own
        executor = ProcessPoolExecutor(count, _Workers(), initializer=initializer, initargs=arguments)
        try:
            yield executor
        except BaseException:
            with interrupts_deferred():
                for each in set(multiprocessing.active_children()) - others:
                    each.terminate()
                executor.shutdown(wait=False, cancel_futures=True)
            raise
        executor.shutdown(cancel_futures=True)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let processes that start meanwhile use one BLAS thread: the same sums, and none that fight for the cores."""
    before = {name: os.environ.get(name) for name in BLAS_THREADS}
    os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))  # a spawned process reads them before it loads a library
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def end_with_parent() -> None:
    """Let this worker end when its parent is killed: it waits for jobs on a pipe whose other end it holds too."""
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(parent: int) -> None:
    wait([parent])
    os._exit(1)


@contextmanager
def safe_path() -> Iterator[None]:
    """Let Python processes that start meanwhile import nothing from the current folder.

    A worker is started by `python -c`, which takes its first imports from there, long before it is told our path; the
    option -P cannot be given to it, but the variable that stands for the option is inherited.
    """
    before = os.environ.get(SAFE_PATH_VARIABLE)
    os.environ[SAFE_PATH_VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH_VARIABLE]
        else:
            os.environ[SAFE_PATH_VARIABLE] = before


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let no Ctrl-C in before the end of the block, nor into processes that start in it: submit work in such a block.

    An executor starts a process when work is submitted. One that is interrupted half way waits for its other half for
    ever, and its parent for it.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield  # only the main thread is interrupted; Windows knows no mask
        return
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield  # nothing comes, and who starts in the block inherits that
        return
    came: list[int] = []
    # The mask is for who inherits it. The handler is for us: another thread without the mask may be given the signal.
    handler = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt
