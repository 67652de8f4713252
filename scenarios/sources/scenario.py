"""Finds a scenario by name or path and layers the settings over it: file, further file, environment, flags."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from protocols.errors import SettingsError, StoreError
from protocols.recording.reader import read_header
from protocols.settings.layers import Layer, environment_layer, set_layer, toml_layer
from protocols.settings.resolve import Resolved
from protocols.settings.suggestions import did_you_mean
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.pack.reader import is_pack, packed_settings, unpacked
from scenarios.settings.derived import resolve_scenario
from scenarios.settings.library import LIBRARY, library_scenarios
from scenarios.settings.model import Scenario
from scenarios.sources.code_sources import Namer, with_code_by, with_code_like, with_code_of
from scenarios.sources.run_folder import RUNS

FLAG_KEYS: Final = {
    "policy": "campaign.policy",
    "budget": "campaign.budget",
    "seed": "campaign.seed",
    "broker": "broker.url",
    "id": "simulator.id",
}
"""Flag -> the setting that it stands for."""

MINIMUM: Final = "start.minimum_per_family"

RUNS_VARIABLE: Final = "ENTROPILOT_RUNS"

NO_SETTINGS: Final = frozenset({RUNS_VARIABLE, "ENTROPILOT_TEST_POSTGRES"})
"""Variables of ours that are no setting of a scenario: the folder of the runs, and a database for the tests."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a command line says beside the scenario.

    Attributes:
        flags: Flag name -> value; None where it was not given.
        assignments: Of `--set`.
        file: A further settings file.
    """

    flags: Mapping[str, Any] = field(default_factory=dict)
    assignments: Sequence[str] = ()
    file: Path | None = None


def find_scenario(name: str) -> Path:
    """Return the file of a scenario.

    Args:
        name: A name of the library, or the path of a TOML file or of a pack.

    Raises:
        SettingsError: When there is none, with the nearest name.
    """
    library = library_scenarios()
    if name in library:
        return library[name]
    path = Path(name)
    if (path.suffix == ".toml" and path.is_file()) or is_pack(path):
        return path
    if os.path.lexists(path):
        raise _no_scenario(path)
    raise SettingsError(
        f"There is no scenario {name!r}",
        expected=f"one of {', '.join(library)}, or the path of a TOML file or a pack",
        action=did_you_mean(name, library) or "`entropilot list` shows what there is",
    )


def _no_scenario(path: Path) -> SettingsError:
    """Say what something is that was given instead of a scenario; a pipe is not opened, for that would wait."""
    kind, action = "a file that is none", "name its scenario, or give the file the ending .toml"
    if path.is_dir():
        kind, action = "a folder", "name its scenario; `entropilot report` and `verify` take a run folder"
    elif not path.is_file():
        kind, action = "a pipe, a device or a dangling link", "name a file"
    elif _is_recording(path):
        kind, action = "a recording", f"`entropilot replay {path}`, or make a pack of it, which runs"
    return SettingsError(
        f"{path} is no scenario but {kind}",
        expected="a scenario's name, or the path of a TOML file or a pack",
        action=action,
    )


def _is_recording(path: Path) -> bool:
    try:
        read_header(path)
    except StoreError:
        return False
    return True


def load_scenario(
    name: str,
    overrides: Overrides,
    environ: Mapping[str, str] | None = None,
    *,
    runs: Path | None = None,
    progress: ProgressCall = no_progress,
) -> Resolved[Scenario]:
    """Return the settings that hold, and where each comes from.

    Args:
        name: Name or path of the scenario.
        overrides: What the command line says.
        environ: Environment variables; the process's own by default.
        runs: Where run folders are, and a pack is unpacked; by default where `ENTROPILOT_RUNS` says.
        progress: For a progress bar, while a pack is unpacked.

    Raises:
        SettingsError: With everything that is wrong.
        StoreError: When it is a pack that is not sound.
    """
    path = find_scenario(name)
    environ = os.environ if environ is None else environ
    if is_pack(path):
        folder = unpacked(path, runs or Path(environ.get(RUNS_VARIABLE) or RUNS), progress)
        layers = [Layer(f"pack {path.name}", packed_settings(folder) or {})]
        namers = [Namer.stranger(layers[0].values, f"The pack {path.name}")]
    else:
        folder, layers = path.parent, [_scenario_layer(path)]
        namers = [Namer.file(layers[0].values, path)]
    above = _layers_above(overrides, environ)
    layers += [layer for layer, _ in above]
    namers += [namer for _, namer in above]
    resolved = resolve_scenario(_options_follow_policy(layers))
    if not is_pack(path):  # which spells the defaults out, as if somebody had asked for them
        _require_start(resolved)
    # Tables are looked for beside the scenario file first, then where the command was started.
    found = resolved.settings.with_table_paths(partial(_found, beside=folder))
    found = with_code_by(with_code_of(found, namers[0].source), namers, folder)
    return replace(resolved, settings=found)


def layered_over(scenario: Scenario, source: str, overrides: Overrides) -> Scenario:
    """Return a scenario that something else than a file holds, with what the command line says laid over it.

    Args:
        scenario: That one.
        source: Where it comes from, for errors.
        overrides: What the command line says.

    Raises:
        SettingsError: With everything that is wrong.
    """
    above = _layers_above(overrides, {})
    layers = [Layer(source, scenario.model_dump(mode="json")), *(layer for layer, _ in above)]
    changed = resolve_scenario(_options_follow_policy(layers)).settings
    return with_code_by(with_code_like(changed, scenario), [namer for _, namer in above])


def _layers_above(overrides: Overrides, environ: Mapping[str, str]) -> list[tuple[Layer, Namer]]:
    """Return what a person says beside the scenario, from the weakest to the strongest."""
    said = [
        environment_layer(Scenario, environ, ignore=NO_SETTINGS),
        set_layer(tuple(overrides.assignments)),
        _flag_layer(overrides.flags),
    ]
    above = [(layer, Namer.person(layer.values)) for layer in said]
    if overrides.file is None:
        return above
    further = toml_layer(overrides.file)
    return [(further, Namer.file(further.values, overrides.file)), *above]


def _require_start(resolved: Resolved[Scenario]) -> None:
    """Check that who asks for a minimum of every family asks for a start set; a lab's has what the lab knows.

    Raises:
        SettingsError: When the minimum would count for nothing.
    """
    start, columns = resolved.settings.start, resolved.settings.pool.columns
    is_of_a_lab = columns is not None and columns.on_missing == "unknown"
    if start.size == 0 and start.minimum_per_family and resolved.is_asked_for(MINIMUM) and not is_of_a_lab:
        raise SettingsError(
            f"start.size is 0, and {MINIMUM} is {start.minimum_per_family} (from {resolved.source_of[MINIMUM]})",
            expected="a start set of at least that many candidates of every family, or no minimum",
            action=f"set start.size, or leave {MINIMUM} out",
        )


def _scenario_layer(path: Path) -> Layer:
    """Read a scenario; one of the library goes by its name, which is shorter than its path."""
    layer = toml_layer(path)
    return replace(layer, source=f"scenario {path.stem}") if path.parent == LIBRARY else layer


def _options_follow_policy(layers: Sequence[Layer]) -> list[Layer]:
    """Drop policy options that an earlier layer gave to a policy which a later layer replaces.

    `--policy` and `--set` are two layers of one command line: what they say together belongs together.
    """
    kept: list[Layer] = []
    policy: object = None
    for layer in layers:
        campaign = layer.values.get("campaign")
        named = campaign.get("policy") if isinstance(campaign, dict) else None
        if named is not None and policy is not None and named != policy:
            kept = [each if each.source == layer.source else _without_policy_options(each) for each in kept]
        policy = policy if named is None else named
        kept.append(layer)
    return kept


def _without_policy_options(layer: Layer) -> Layer:
    campaign = layer.values.get("campaign")
    if not isinstance(campaign, dict) or "policy_options" not in campaign:
        return layer
    rest = {key: value for key, value in campaign.items() if key != "policy_options"}
    return replace(layer, values={**layer.values, "campaign": rest})


def _flag_layer(flags: Mapping[str, Any]) -> Layer:
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for flag, value in flags.items():
        if value is None:
            continue
        section, _, key = FLAG_KEYS[flag].partition(".")
        values.setdefault(section, {})[key] = value
        sources[FLAG_KEYS[flag]] = f"--{flag}"
    return Layer("command line", values, sources)


def _found(path: str, *, beside: Path) -> str:
    candidate = beside / path
    return str(candidate if candidate.exists() else Path(path))
