"""Starts the server for one client, over standard input and output, and ends with it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from protocols.extras import load
from scenarios.mcp_server.proposals import ProposalFolder
from scenarios.mcp_server.questions import Questions
from scenarios.mcp_server.shelf import RunsShelf, Shelf
from scenarios.mcp_server.tools import Tools
from scenarios.watch.reading.find import find_run


def serve(
    run: str | None, runs: Path, database: str | None = None, broker: str | None = None, *, read_only: bool = False
) -> None:
    """Serve until the client closes standard input.

    Args:
        run: The one run that may be read; None: all below `runs`.
        runs: The folder of runs; proposals go below it.
        database: Of another database than that run's own, or than it remembers.
        broker: In place of runs: the broker whose campaigns may be read.
        read_only: Whether nothing can be proposed either.

    Raises:
        ExtraMissingError: When the extra `mcp` is not installed.
        EntropilotError: When there is no such run, or the broker cannot be reached.
    """
    load("mcp.server.mcpserver")
    from scenarios.mcp_server.server import make_server

    with closing(_shelf(run, runs, database, broker)) as shelf, closing(Questions()) as questions:
        tools = Tools(shelf, questions, None if read_only else ProposalFolder(runs), database)
        make_server(tools).run("stdio")


def _shelf(run: str | None, runs: Path, database: str | None, broker: str | None) -> Shelf:
    if broker is not None:
        from scenarios.mcp_server.broker_shelf import BrokerShelf

        return BrokerShelf(broker)
    return RunsShelf(runs, None if run is None else find_run(run, runs), database)
