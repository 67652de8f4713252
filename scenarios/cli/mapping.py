"""The command for labs that speak their own messages: try a mapping, print one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from protocols.errors import SettingsError
from scenarios.cli import completion
from scenarios.cli.options import Debug, Json, Quiet
from scenarios.cli.settings import build_world_for
from scenarios.display.console import print_json, reported_errors, show

TRY: Final = "try"
SHOW: Final = "show"

app = typer.Typer()


@app.command()
def lab(
    action: Annotated[
        str,
        typer.Argument(
            help="try: how one message would be understood, or a request sent; show: print a mapping of the library.",
            autocompletion=completion.lab_actions,
        ),
    ],
    mapping: Annotated[
        str | None,
        typer.Argument(
            help="A scenario with a [lab] section, a file with one alone, or a mapping of the library.",
            autocompletion=completion.mappings,
        ),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Topic of a message of the lab; without it, a request.")] = None,
    payload: Annotated[str | None, typer.Option(help="Payload of that message.")] = None,
    correlation_data: Annotated[
        str, typer.Option(help="MQTT 5's correlation data of that message: the attempt's id.")
    ] = "",
    retained: Annotated[bool, typer.Option("--retained", help="The broker kept that message from before.")] = False,
    candidate: Annotated[
        str | None, typer.Option(help="Candidate of the request: its id in the table, or ours; by default the first.")
    ] = None,
    settings_file: Annotated[
        Path | None, typer.Option("--settings", metavar="FILE", help="A TOML file that is laid over the scenario.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Try how a lab's own messages are translated: one that it says, or one that it would get. Nothing is sent.

    entropilot lab try plain_json --topic lab/furnace-1/done --payload '{"job": "a1", "data": {"strength": 412000}}'

    entropilot lab try my_scenario.toml --candidate S-17

    entropilot lab show plain_json
    """
    with reported_errors(debug=debug):
        from scenarios.lab.report import heard_json, heard_table, sent_json, sent_table
        from scenarios.lab.source import load_mapping, mapping_text
        from scenarios.lab.trial import try_message, try_request
        from scenarios.settings.lab_section import require_sound_lab

        _require_action(action, mapping)
        if action == SHOW:
            print_json(mapping_text(mapping or ""))
            return
        if (topic is None) != (payload is None):
            raise SettingsError(
                "A message has a topic and a payload, and one of them is not there",
                expected="both --topic and --payload, or neither",
                action="leave both out to see how a request would be sent",
            )
        source = load_mapping(mapping or "", settings_file)
        if topic is not None and payload is not None:
            heard = try_message(source, topic, payload.encode(), correlation_data=correlation_data, retained=retained)
            if json:
                print_json(heard_json(heard))
            else:
                show(heard_table(heard))
            return
        world = None if source.scenario is None else build_world_for(source.scenario, quiet=quiet or json)
        if source.resolved is not None and world is not None:
            require_sound_lab(source.resolved, world.pool.feature_names)
        sent = try_request(source, None if world is None else world.pool, candidate)
        if json:
            print_json(sent_json(*sent))
        else:
            show(sent_table(*sent))


def _require_action(action: str, mapping: str | None) -> None:
    from scenarios.settings.library import library_mappings

    if action not in {TRY, SHOW}:
        raise SettingsError(f"There is no `entropilot lab {action}`", expected=f"{TRY} or {SHOW}")
    if not mapping:
        raise SettingsError(
            f"`entropilot lab {action}` needs a mapping",
            expected=f"one of the library: {', '.join(library_mappings())}"
            + ("" if action == SHOW else "; a file with a [lab] section, or a scenario with one"),
        )
