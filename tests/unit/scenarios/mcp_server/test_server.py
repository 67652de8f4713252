"""The tools as a client of the protocol sees them, in this process; over stdio they are tried in tests/system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scenarios.mcp_server.proposals import ProposalFolder
from scenarios.mcp_server.questions import Questions
from scenarios.mcp_server.shelf import RunsShelf
from scenarios.mcp_server.tools import Tools
from tests.support.strangers.strange_campaign import FAMILIES, make_strange_campaign

client = pytest.importorskip("mcp.client.client", reason="the extra mcp is not installed")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_strange_campaign(tmp_path_factory.mktemp("server") / "runs" / "strange").parent


@pytest.fixture
def tools(runs: Path) -> Tools:
    return Tools(RunsShelf(runs), Questions(wait_s=0.0), ProposalFolder(runs))


async def call(tools: Tools, name: str, arguments: dict[str, Any]) -> Any:
    from scenarios.mcp_server.server import make_server

    async with client.Client(make_server(tools)._lowlevel_server) as connection:
        return await connection.call_tool(name, arguments)


async def test_all_tools_but_one_say_that_they_only_read_and_each_argument_is_described(tools: Tools) -> None:
    from scenarios.mcp_server.server import make_server

    async with client.Client(make_server(tools)._lowlevel_server) as connection:
        listed = (await connection.list_tools()).tools
    assert len(listed) == 15
    for each in listed:
        assert each.annotations.read_only_hint == (each.name != "propose_control")
        assert each.annotations.open_world_hint is False
        assert each.description
        for name, argument in each.input_schema["properties"].items():
            assert argument.get("description"), (each.name, name)


async def test_an_order_within_a_name_stays_data(tools: Tools) -> None:
    result = await call(tools, "moment", {})
    told = json.loads(result.content[0].text)
    assert list(told) == ["note", "data"]
    assert {each["family"] for each in told["data"]["families"]} == set(FAMILIES)


async def test_a_proposal_says_who_made_it_and_that_nothing_is_carried_out(tools: Tools, runs: Path) -> None:
    asked = {"verb": "amend", "words": ["c1", "2.5"], "reason": "wrong offset", "standard_deviation": 0.1}
    result = await call(tools, "propose_control", asked)
    told = json.loads(result.content[0].text)["data"]
    assert "nothing is carried out yet" in told["state"]
    (kept,) = ProposalFolder(runs).all()
    assert (kept.id, kept.in_words) == (told["proposal"], "amend c1 2.5 --standard-deviation 0.1")
    assert kept.proposer.startswith("mcp")
    assert kept.folder == str((runs / "strange").resolve())
    assert json.loads((await call(tools, "proposal", {"id": kept.id})).content[0].text)["data"]["state"] == "waiting"


async def test_a_fault_of_ours_tells_nothing_of_what_is_inside(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        message = "a secret of the machine"
        raise RuntimeError(message)

    monkeypatch.setattr(RunsShelf, "cards", broken)
    result = await call(tools, "list_runs", {})
    assert result.is_error
    assert "secret" not in result.content[0].text
