"""The options and arguments that several commands share, with what a shell completes for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from scenarios.broker.url import DEFAULT_URL
from scenarios.cli import completion

ScenarioName = Annotated[
    str,
    typer.Argument(
        help="Name of a scenario, or the path of a TOML file or of a pack.", autocompletion=completion.scenarios
    ),
]
RecordingName = Annotated[
    str,
    typer.Argument(
        metavar="RECORDING",
        help="A recording's file or name, a pack, a run folder, or the name of a campaign.",
        autocompletion=completion.recordings,
    ),
]
RunName = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run folder, or the name of a campaign.", autocompletion=completion.runs),
]
ScenarioOfRecording = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        help="Scenario of the recording, where its first line does not say it.",
        autocompletion=completion.scenarios,
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        help="gap_gain, etal, etal_reference, random, uncertainty, round_robin, coverage, joint_entropy, "
        "expected_improvement, probability_of_exceeding; for effects of interventions causal, beside it target_mean, "
        "d_optimal and causal_reference; fidelity_gain, which chooses among several methods; molecule_edits, which "
        "makes candidates of its own; or your own: "
        "file.py:Class, or module:Class.",
        autocompletion=completion.policies,
    ),
]
Budget = Annotated[int | None, typer.Option(min=1, help="Candidates that may be requested.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the campaign.")]
Broker = Annotated[str | None, typer.Option(help="embedded, mosquitto, or a URL such as mqtt://user@host:1883.")]
RunningBroker = Annotated[
    str | None, typer.Option(help=f"URL such as mqtt://user@host:1883; by default {DEFAULT_URL}.")
]
Executor = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Where evaluations run: dask://host:8786, a Dask cluster; by default in processes here."
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting, e.g. campaign.parallel=8. Repeatable."),
]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="A TOML file that is laid over the scenario.")
]
Campaign = Annotated[
    str | None,
    typer.Option(help="Name of the campaign and of its run folder.", autocompletion=completion.runs),
]
RecordedCampaign = Annotated[
    str | None, typer.Option("--campaign", help="Which campaign, where a recorder heard several.")
]
Runs = Annotated[Path, typer.Option(help="Where run folders go.", envvar="ENTROPILOT_RUNS")]
Resume = Annotated[bool, typer.Option("--resume", help="Resume a campaign where it was left, however it ended.")]
Live = Annotated[
    bool,
    typer.Option("--live", help="A real lab is meant: let it be driven, at a broker that live.brokers names."),
]
DryRunOnly = Annotated[
    bool,
    typer.Option("--dry-run", help="Show the first requests as they would be sent, and send and write nothing."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No live view and no table.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
ShowSettings = Annotated[
    bool, typer.Option("--show-settings", help="Print what holds and where it comes from, and do nothing.")
]


def _without_password(url: str | None) -> str | None:
    """Take a URL as it is; say so where its password can be seen."""
    if url is not None and "@" in url:
        from protocols.storage.server_url import password_in
        from scenarios.display.console import show_notes

        if password_in(url):
            show_notes([SEEN])
    return url


SEEN: Final = "others can see the password of --database in the list of processes; put it into ~/.pgpass or PGPASSWORD"

Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        callback=_without_password,
        help="Another database than the run folder's own, or than it remembers; e.g. postgresql+psycopg://user@host/name",
    ),
]
AllowCode = Annotated[
    Path | None,
    typer.Option(
        "--allow-code",
        metavar="FOLDER",
        help="Let a policy or an evaluator be run that a recording or a pack names: from this folder, or installed.",
    ),
]
AllowCalculator = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-calculator",
        metavar="MODULE:FACTORY",
        help="Let the lab calculate with a function of yours that its settings name, or file.py:factory. Repeatable.",
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(help="What separates the cells of a text table, such as ; or tab; by default what its ending says."),
]
Decimal = Annotated[str, typer.Option(help="What stands before the decimals of numbers in a text table: a point or ,")]
Sheet = Annotated[str | None, typer.Option(help="Which sheet of a workbook is the table; by default its only one.")]
Missing = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="A text that stands for a missing cell, besides the usual ones. Repeatable."),
]
FamilyName = Annotated[
    list[str] | None,
    typer.Option(metavar="AS_WRITTEN=FAMILY", help="A spelling in the table, and the family it means. Repeatable."),
]
Debug = Annotated[bool, typer.Option("--debug", help="Print tracebacks.")]


@contextmanager
def allowing_code(folder: Path | None) -> Iterator[None]:
    """Let the code be run that recordings and packs name, where a person said so."""
    from scenarios.sources import code_sources

    with code_sources.allowing_code(folder):
        yield


@contextmanager
def allowing_calculators(names: list[str] | None) -> Iterator[None]:
    """Let the lab calculate with what a person has named."""
    from scenarios.sources import code_sources

    with code_sources.allowing_calculators(names or ()):
        yield
