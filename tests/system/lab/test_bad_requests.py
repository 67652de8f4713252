"""Over a real broker, a real simulator answers every bad request with a failure that says why, and lives on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from protocols.link.broker_settings import BrokerSettings
from protocols.link.credentials import ANYBODY
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery
from protocols.wire.messages import CandidateRequest
from tests.support.brokers import listening
from tests.support.commands import PATIENCE_S, Part, Workbench

pytestmark = pytest.mark.system

BASE = "entropilot/v1/lab"
HERE = Path(__file__).parent
CALCULATOR = "hostile.py:make"
EVENT_DEADLINE_S = 600.0
"""Deadline of what hangs while the simulator is asked and ended."""

LAB = """
[campaign]
property = "volume_per_atom"
unit = "Å^3"
budget = 10

[simulator]
evaluator = "ase"
"""

COPPER: dict[str, Any] = {
    "cell": [[0.0, 1.85, 1.85], [1.85, 0.0, 1.85], [1.85, 1.85, 0.0]],
    "symbols": ["Cu"],
    "scaled_positions": [[0.0, 0.0, 0.0]],
}


def structure(**fields: Any) -> dict[str, Any]:
    return COPPER | fields


def request(number: int, **fields: Any) -> dict[str, Any]:
    usual = {
        "protocol": 1, "type": "candidate_request", "campaign": "lab", "message_id": f"m-{number}",
        "sent_at": "2026-11-30T12:00:00Z", "attempt_id": f"0badc0de-d000000-{number:08d}-a1",
        "candidate_id": f"c-{number}", "decision": 0, "attempt": 1, "family": "cubic", "structure": COPPER,
        "properties": ["volume_per_atom"], "deadline_s": 60.0,
    }  # fmt: skip
    return usual | fields


class Agent:
    """Asks the simulator over the broker, and hears what it answers."""

    def __init__(self, url: str) -> None:
        self._heard: list[Delivery] = []
        settings = BrokerSettings(url=url).as_part(ANYBODY)
        self._link = MqttSession(settings, client_id="asker", subscriptions=(f"{BASE}/#",))
        self._number = 0

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Agent]:
        async with listening(self._link, self._heard.append):
            yield self

    async def ask(self, **fields: Any) -> str:
        """Send a request, as JSON that may hold NaN; return its attempt."""
        self._number += 1
        asked = request(self._number, **fields)
        await self._link.publish(f"{BASE}/request/simulator-1", json.dumps(asked, separators=(",", ":")).encode())
        return str(asked["attempt_id"])

    async def say(self, channel: str, content: dict[str, Any]) -> None:
        await self._link.publish(f"{BASE}/{channel}", json.dumps(content).encode())

    async def answer(self, attempt_id: str) -> dict[str, Any]:
        return await self.hear(("result/simulator-1", "failure/simulator-1"), attempt_id=attempt_id)

    async def hear(self, channels: tuple[str, ...], since: int = 0, **wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for each in self._heard[since:]:
                    if each.topic in {f"{BASE}/{channel}" for channel in channels} and each.payload:
                        content: dict[str, Any] = json.loads(each.payload)
                        if all(content.get(name) == value for name, value in wanted.items()):
                            return content
                await asyncio.sleep(0.01)

    @property
    def heard(self) -> int:
        return len(self._heard)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        (tmp_path / "crystals.toml").write_text('name = "lab"\n[pool]\nsource = "emt_alloys"\n' + LAB, encoding="utf-8")
        shutil.copy(HERE / "hostile.py", tmp_path / "hostile.py")
        yield opened


def simulator(bench: Workbench, url: str, *additional: str) -> Part:
    return bench.start("simulator", "crystals.toml", "--campaign", "lab", "--broker", url, *additional)


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("an element that there is not", {"structure": structure(symbols=["Xx"])}, "unsupported", "has Xx"),
    ("an element that EMT does not know", {"structure": structure(symbols=["Fe"])}, "unsupported", "has Fe;"),
    (
        "atoms upon each other",
        {"structure": structure(symbols=["Cu"] * 2, scaled_positions=[[0.0] * 3, [0.001] * 3])},
        "invalid_request", "atoms lie upon each other",
    ),
    (
        "coincident atoms",
        {"structure": structure(symbols=["Cu"] * 2, scaled_positions=[[0.0] * 3] * 2)},
        "invalid_request", "Cu and Cu are 0 Å apart",
    ),
    (
        "a coordinate that is no number",
        {"structure": structure(scaled_positions=[[float("nan"), 0.0, 0.0]])}, "unreadable_request", "not JSON",
    ),
    (
        "an infinite cell",
        {"structure": structure(cell=[[float("inf"), 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])},
        "unreadable_request", "not JSON",
    ),
    (
        "ten thousand atoms",
        {"structure": structure(symbols=["Cu"] * 10_000, scaled_positions=[[0, 0, 0]] * 10_000)},
        "unreadable_request", "A message of",
    ),
    (
        "a thousand atoms",
        {"structure": structure(symbols=["Cu"] * 1_000, scaled_positions=[[0.0, 0.0, 0.0]] * 1_000)},
        "unreadable_request", "at most 500 items",
    ),
    ("a singular cell", {"structure": structure(cell=[[1.0, 1.0, 1.0]] * 3)}, "unreadable_request", "flat"),
    (
        "a needle of a cell",
        {"structure": structure(cell=[[1000.0, 0.0, 0.0], [999.0, 0.1, 0.0], [0.0, 0.0, 0.1]])},
        "invalid_request", "own image",
    ),
    (
        "an empty cell",
        {"structure": structure(cell=[[900.0, 0.0, 0.0], [0.0, 900.0, 0.0], [0.0, 0.0, 900.0]])},
        "invalid_request", "Å³ an atom",
    ),
    ("no structure", {"structure": None}, "invalid_request", "no structure"),
    ("an unknown property", {"properties": ["colour"]}, "unsupported", "asked for colour"),
    ("an unknown method", {"fidelity": "b3lyp"}, "unsupported", "b3lyp"),
    ("a deadline out of range", {"deadline_s": -1.0}, "unreadable_request", "deadline_s"),
    ("a field that names a calculator", {"calculator": "os:system"}, "unreadable_request", "calculator"),
]  # fmt: skip
"""What is wrong, the fields that say it, the reason of the failure, and what its detail says."""


async def test_every_bad_request_is_answered_with_its_reason_and_logged_and_the_simulator_lives_on(
    bench: Workbench,
) -> None:
    url = bench.start_broker("embedded")
    serving = simulator(bench, url)
    async with Agent(url).connected() as agent:
        await agent.hear(("status/simulator-1",), health="online")
        for what, fields, reason, says in BAD:
            failure = await agent.answer(await agent.ask(**fields))
            assert (failure["type"], failure["reason"]) == ("candidate_failure", reason), (what, failure)
            assert says in failure["detail"], (what, failure["detail"])
        good = await agent.answer(await agent.ask())
        assert good["type"] == "candidate_result"
        await _fuzzed_requests_name_no_code(agent, bench.folder)
    ended = serving.end()
    assert ended.code == 0, ended.err
    assert ended.err.count("message_refused") >= 6
    assert ended.err.count("evaluation_failed") >= 8


async def _fuzzed_requests_name_no_code(agent: Agent, folder: Path) -> None:
    """Code, commands and paths in every field that a request has: nothing is imported, started, opened or written."""
    trap = folder / "trap.py"
    trap.write_text("from pathlib import Path\nPath(__file__).with_name('sprung').write_text('!')\nmake = print\n")
    hostile = (
        "trap:make", f"{trap}:make", "trap.py:make", "../../trap.py:make", "os:system", f"; touch {folder}/sprung",
        f"$(touch {folder}/sprung)", f"__import__('pathlib').Path('{folder}/sprung').touch()", "file:///etc/passwd",
    )  # fmt: skip
    rng = random.Random(16)
    # Without these nobody can tell whose request it is, and nobody is told.
    nobody = {"protocol", "type", "campaign", "attempt_id", "candidate_id"}
    fields = [name for name in CandidateRequest.model_fields if name not in nobody]
    strangers = ["calculator", "calculator_parameters", "evaluator", "options", "code", "allowed_calculator", "command"]
    for name in [*fields, *strangers]:
        value = rng.choice(hostile)
        shaped: Any = [value, [value], {value: value}, {"name": value}, [{"name": value, "value": 1.0, "unit": value}]]
        for each in rng.sample(shaped, 2):
            answer = await agent.answer(await agent.ask(**{name: each}))
            assert answer["type"] in {"candidate_failure", "candidate_result"}
    for kept in ("labels", "formula"):
        written: Any = {"calculator": hostile[0]} if kept == "labels" else hostile[0]
        assert (await agent.answer(await agent.ask(**{kept: written})))["type"] == "candidate_result"
    assert not (folder / "sprung").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
async def test_a_simulator_whose_slots_all_hang_is_answerable_and_ends_in_order(bench: Workbench) -> None:
    url = bench.start_broker("embedded")
    own = ("--set", f"simulator.calculator={CALCULATOR}", "--allow-calculator", CALCULATOR)
    serving = simulator(bench, url, *own, "--set", "simulator.concurrency=4")
    async with Agent(url).connected() as agent:
        await agent.hear(("status/simulator-1",), health="online")
        assert (await agent.answer(await agent.ask()))["type"] == "candidate_result"
        for symbol in ("H", "He", "Li", "C") * 3:  # four run, and eight wait
            await agent.ask(structure=structure(symbols=[symbol]), deadline_s=EVENT_DEADLINE_S)
        await asyncio.sleep(1.0)
        since, began = agent.heard, time.monotonic()
        await agent.say("announce", {
            "protocol": 1, "type": "capabilities_request", "campaign": "lab", "message_id": "m-announce",
            "sent_at": "2026-11-30T12:00:00Z",
        })  # fmt: skip
        told = await agent.hear(("capabilities/simulator-1",), since)
        answered_s = time.monotonic() - began
        assert told["slots"] == 4
        began = time.monotonic()
        ended = await asyncio.to_thread(serving.end)
        print(f"answered after {answered_s:.3f} s, ended after {time.monotonic() - began:.3f} s")
    assert ended.code == 0, ended.err


def test_settings_alone_do_not_let_code_be_run(bench: Workbench) -> None:
    own = bench.folder / "own.toml"
    own.write_text((bench.folder / "crystals.toml").read_text(encoding="utf-8") + f'calculator = "{CALCULATOR}"\n')
    for word in ((), ("--allow-calculator", "other.py:make"), ("--allow-code", ".")):
        refused = bench.entropilot("simulator", "own.toml", "--broker", "mqtt://127.0.0.1:1", *word)
        assert refused.code == 2, refused.err
        assert f"--allow-calculator {CALCULATOR}" in " ".join(refused.err.split())


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("simulator.calculator=emd", "did you mean 'emt'"),
        ("simulator.calculator_parameters={sigma=-1}", "sigma"),
    ],
)  # fmt: skip
def test_a_calculator_that_is_not_in_the_list_or_a_parameter_out_of_range_ends_the_simulator_at_once(
    bench: Workbench, setting: str, says: str
) -> None:
    lennard_jones = () if "emd" in setting else ("--set", "simulator.calculator=lennard_jones")
    ended = bench.entropilot("simulator", "crystals.toml", *lennard_jones, "--set", setting)
    assert ended.code == 2, ended.err
    assert says in ended.err


def test_an_extra_that_is_not_installed_ends_the_simulator_at_once_and_is_named(bench: Workbench) -> None:
    from protocols.extras import is_installed

    if is_installed("sevenn"):
        pytest.skip("sevenn is installed")
    ended = bench.entropilot("simulator", "crystals.toml", "--set", "simulator.calculator=7net-0")
    assert ended.code == 2, ended.err
    told = " ".join(ended.err.split())
    assert "needs sevenn, which is not installed" in told
    assert "pip install 'entropilot[mlip]'" in told
