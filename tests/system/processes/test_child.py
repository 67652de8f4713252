"""A child process answers, is killed at its deadline, says why it died, and never outlives its parent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from protocols.concurrency.child import MAX_FRAME_BYTES, STDERR_TAIL_BYTES, Child, ChildDied
from tests.support.processes import started

pytestmark = pytest.mark.system

MODULE = "tests.support.echo_child"
ROOT = Path(__file__).parents[3]
PATIENCE_S = 20.0

PARENT = """
import asyncio, sys
from protocols.concurrency.child import Child

async def main():
    child = Child("tests.support.echo_child")
    await child.start()
    print((await child.ask(b"pid")).decode(), (await child.ask(b"spawn")).decode(), flush=True)
    if sys.argv[1] != "idle":
        await child.ask(b"hang" if sys.argv[1] == "busy" else b"loop")
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def child(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Child]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made = Child(MODULE)
    await made.start()
    yield made
    await made.stop()


async def pid_of(child: Child) -> int:
    return int(await child.ask(b"pid", timeout_s=PATIENCE_S))


def is_gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody waits for has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_gone(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)


async def test_a_child_answers_one_question_after_the_other(child: Child) -> None:
    for content in (b"", b"\x00\xff\n", b"x" * 5_000_000):
        assert await child.ask(b"echo " + content, timeout_s=PATIENCE_S) == content
    assert await pid_of(child) == await pid_of(child) != os.getpid()
    assert child.is_running


async def test_what_a_child_prints_does_not_break_its_answers(child: Child) -> None:
    assert await child.ask(b"print hello", timeout_s=PATIENCE_S) == b"printed"
    assert await child.ask(b"echo next", timeout_s=PATIENCE_S) == b"next"


async def test_a_child_that_does_not_answer_in_time_is_killed(child: Child) -> None:
    pid = await pid_of(child)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await child.ask(b"hang", timeout_s=0.1)
    assert time.monotonic() - began < PATIENCE_S
    assert is_gone(pid)
    assert not child.is_running


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
@pytest.mark.parametrize("end", ["deadline", "death", "kill", "stop", "killed from outside"])
async def test_the_programs_that_a_child_has_started_die_with_it_however_it_ends(child: Child, end: str) -> None:
    pid, program = await pid_of(child), int(await child.ask(b"spawn", timeout_s=PATIENCE_S))
    assert not is_gone(program)
    match end:
        case "deadline":
            with pytest.raises(TimeoutError):
                await child.ask(b"hang", timeout_s=0.1)
        case "death":
            with pytest.raises(ChildDied):
                await child.ask(b"die 3 words", timeout_s=PATIENCE_S)
        case "kill":
            child.kill()
        case "stop":
            await child.stop()
        case _:
            asking = asyncio.create_task(child.ask(b"hang"))
            await asyncio.sleep(0.05)
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(ChildDied):
                await asking
    wait_until_gone(program)


@pytest.mark.skipif(sys.platform != "linux", reason="daemons are found by their environment in /proc")
@pytest.mark.parametrize("end", ["deadline", "death", "kill", "stop"])
async def test_a_daemon_that_a_child_has_left_ends_with_it_too(child: Child, end: str) -> None:
    program = int(await child.ask(b"daemon", timeout_s=PATIENCE_S))
    assert os.getsid(program) != os.getsid(await pid_of(child))
    match end:
        case "deadline":
            with pytest.raises(TimeoutError):
                await child.ask(b"loop", timeout_s=0.1)
        case "death":
            with pytest.raises(ChildDied):
                await child.ask(b"die 3 words", timeout_s=PATIENCE_S)
        case "kill":
            child.kill()
        case _:
            await child.stop()
    wait_until_gone(program)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
async def test_of_a_child_that_forks_one_answers(child: Child) -> None:
    copy = int(await child.ask(b"fork", timeout_s=PATIENCE_S))
    assert copy > 0, "who was asked answers"
    assert await child.ask(b"echo next", timeout_s=PATIENCE_S) == b"next"
    wait_until_gone(copy)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
async def test_a_death_is_noticed_while_a_copy_of_the_child_holds_its_pipes(child: Child) -> None:
    with pytest.raises(ChildDied, match="code 5"):
        await child.ask(b"leave", timeout_s=PATIENCE_S)


async def test_what_a_child_says_is_not_kept_for_ever(child: Child) -> None:
    for _ in range(3):
        await child.ask(b"print " + b"x" * 2_000_000, timeout_s=PATIENCE_S)
    assert child._stderr is not None
    assert os.fstat(child._stderr.fileno()).st_size == 0
    with pytest.raises(ChildDied, match="code 3: the end"):
        await child.ask(b"die 3 the end", timeout_s=PATIENCE_S)


async def test_a_child_does_not_hear_the_ctrl_c_of_its_parents_terminal(child: Child) -> None:
    assert os.getpgid(await pid_of(child)) != os.getpgrp()


async def test_a_child_can_be_started_again_and_is_a_new_process(child: Child) -> None:
    first = await pid_of(child)
    await child.start()
    assert is_gone(first)
    second = await pid_of(child)
    assert second != first


async def test_a_death_is_told_with_code_and_last_words(child: Child) -> None:
    with pytest.raises(ChildDied) as caught:
        await child.ask(b"die 3 first line\nout of cheese", timeout_s=PATIENCE_S)
    assert caught.value.reason == "it ended with code 3: out of cheese"
    assert not child.is_running


async def test_an_exception_is_told_by_its_last_line(child: Child) -> None:
    with pytest.raises(ChildDied, match=r"it ended with code 1: ValueError: no such luck"):
        await child.ask(b"raise no such luck", timeout_s=PATIENCE_S)


async def test_a_death_without_a_word_is_told_too(child: Child) -> None:
    with pytest.raises(ChildDied, match=r"it ended with code 7$"):
        await child.ask(b"die 7 ", timeout_s=PATIENCE_S)


async def test_last_words_are_bounded(child: Child) -> None:
    with pytest.raises(ChildDied) as caught:
        await child.ask(b"die 1 " + b"a" * 1_000_000, timeout_s=PATIENCE_S)
    assert len(caught.value.reason) <= STDERR_TAIL_BYTES + 100


async def test_a_child_that_is_killed_from_outside_is_a_death(child: Child) -> None:
    pid = await pid_of(child)
    asking = asyncio.create_task(child.ask(b"hang"))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ChildDied, match="-9"):
        async with asyncio.timeout(PATIENCE_S):
            await asking


async def test_a_child_that_was_not_started_or_has_died_says_so(child: Child) -> None:
    await child.stop()
    await child.stop()
    with pytest.raises(ChildDied, match="not started"):
        await child.ask(b"pid")


async def test_who_stops_waiting_kills_the_child_so_that_its_answer_is_never_mistaken(child: Child) -> None:
    pid = await pid_of(child)
    asking = asyncio.create_task(child.ask(b"hang"))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not child.is_running
    await child.start()
    assert is_gone(pid)
    assert await child.ask(b"echo next", timeout_s=PATIENCE_S) == b"next"


async def test_a_child_inherits_no_secrets_and_computes_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("ENTROPILOT_BROKER__PASSWORD", "secret")
    monkeypatch.setenv("ASE_VASP_COMMAND", "rm")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    child = Child(MODULE)
    await child.start()
    try:
        environment = json.loads(await child.ask(b"environ", timeout_s=PATIENCE_S))
    finally:
        await child.stop()
    assert not {"ENTROPILOT_BROKER__PASSWORD", "ASE_VASP_COMMAND"} & environment.keys()
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("state", ["idle", "busy", "busy in C"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_child_dies_with_its_parent_however_that_ends_and_however_busy_it_is(state: str) -> None:
    with started(
        [sys.executable, "-c", PARENT, state],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout is not None
        pid, program = map(int, parent.stdout.readline().split())
        if state != "idle":
            deadline = time.monotonic() + PATIENCE_S
            while sum(psutil.Process(pid).cpu_times()[:2]) < 0.3 and time.monotonic() < deadline:
                time.sleep(0.01)  # it has begun to compute
        assert not is_gone(pid)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        wait_until_gone(pid)
        wait_until_gone(program)


async def test_a_child_that_is_stopped_while_it_is_asked_says_so(child: Child) -> None:
    asking = asyncio.create_task(child.ask(b"hang"))
    await asyncio.sleep(0.05)
    await child.stop()
    with pytest.raises(ChildDied, match="it ended with code"):
        await asking


async def test_killing_a_child_that_was_never_started_does_nothing() -> None:
    Child("tests.support.echo_child").kill()


def framed(content: bytes) -> bytes:
    return struct.pack(">Q", len(content)) + content


@contextmanager
def served() -> Iterator[subprocess.Popen[bytes]]:
    """A child whose pipes the test holds."""
    command = [sys.executable, "-m", "tests.support.echo_child"]
    pipe = subprocess.PIPE
    with started(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        yield process
        process.wait(60)


def test_a_child_refuses_a_frame_beyond_its_bound() -> None:
    with served() as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(struct.pack(">Q", MAX_FRAME_BYTES + 1))
        assert b"at most 1073741824 are taken" in process.stderr.read()
    assert process.returncode in {1, -signal.SIGKILL}, "alone, or with the group that it leads"


def test_a_busy_child_whose_parent_is_gone_ends() -> None:
    with served() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(framed(b"echo one"))
        assert process.stdout.read(len(framed(b"one"))) == framed(b"one")
        process.stdin.write(framed(b"hang"))
        process.stdin.close()
    assert process.returncode in {1, -signal.SIGKILL}, "alone, or with the group that it leads"


def test_a_child_whose_questions_end_ends_in_order(tmp_path: Path) -> None:
    (tmp_path / "questions").write_bytes(framed(b"echo one") + framed(b"echo two"))
    command = [sys.executable, "-m", "tests.support.echo_child"]
    with (tmp_path / "questions").open("rb") as questions:
        ended = subprocess.run(command, stdin=questions, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, framed(b"one") + framed(b"two"))
