"""Finds a scenario by name or path and layers the settings over it: file, further file, environment, flags."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from protocols.errors import SettingsError
from protocols.settings.layers import Layer, environment_layer, set_layer, toml_layer
from protocols.settings.resolve import ResolvedSettings
from scenarios.broker.url import require_no_password, require_no_password_set
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.pack_file.reader import settings_to_pack, unpacked
from scenarios.settings.derived import resolve_scenario
from scenarios.settings.lab_section import require_sound_lab
from scenarios.settings.library import LIBRARY
from scenarios.settings.model import Scenario
from scenarios.sources.code_sources import Namer, with_code_by, with_code_like, with_code_of
from scenarios.sources.identify import identify
from scenarios.sources.kinds import PackPath, ScenarioPath
from scenarios.sources.run_folder import RUNS, RUNS_VARIABLE

FLAG_KEYS: Final = {
    "policy": "campaign.policy",
    "budget": "campaign.budget",
    "seed": "campaign.seed",
    "broker": "broker.url",
    "id": "simulator.id",
    "executor": "simulator.executor",
}
"""Flag -> the setting that it stands for."""

MINIMUM: Final = "start.minimum_per_family"

NO_SETTINGS: Final = frozenset({RUNS_VARIABLE})
"""Variables of ours that are no setting of a scenario: the folder of the runs."""


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


def require_no_place(values: Mapping[str, Any], who: str) -> None:
    """Check that a stranger's settings name no cluster and no cache: whoever is connected to can run code here.

    Raises:
        SettingsError: When they name one.
    """
    several = values.get("simulators")
    sections = [values.get("simulator"), *(several.values() if isinstance(several, Mapping) else ())]
    for name in ("executor", "cache"):
        if any(isinstance(each, Mapping) and each.get(name) for each in sections):
            raise SettingsError(
                f"{who} sets simulator.{name}",
                expected="settings without a place: where evaluations run and results are kept is for you to say",
                action=f"have it packed without, and set simulator.{name} yourself if you want it",
            )


def runs_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return where run folders are for a command that has no --runs.

    Args:
        environ: Environment variables; the process's own by default.
    """
    return Path((os.environ if environ is None else environ).get(RUNS_VARIABLE) or RUNS)


def load_scenario(
    name: str,
    overrides: Overrides,
    environ: Mapping[str, str] | None = None,
    *,
    runs: Path | None = None,
    progress: ProgressCall = no_progress,
) -> ResolvedSettings[Scenario]:
    """Return the settings that hold, and where each comes from.

    Args:
        name: Name or path of the scenario.
        overrides: What the command line says.
        environ: Environment variables; the process's own by default.
        runs: Where run folders are, and a pack is unpacked; by default where `ENTROPILOT_RUNS` says.
        progress: For a progress bar, while a pack is unpacked.

    Raises:
        SettingsError: When there is no such scenario, or with everything that is wrong with it.
        StoreError: When it is a pack that is not sound.
    """
    environ = os.environ if environ is None else environ
    runs = runs or runs_folder(environ)
    found = identify(name, runs, ScenarioPath, PackPath)
    path = found.path
    if isinstance(found, PackPath):
        folder = unpacked(path, runs, progress)
        layers = [Layer(f"pack {path.name}", settings_to_pack(folder) or {})]
        require_no_place(layers[0].values, f"The pack {path.name}")
        namers = [Namer.stranger(layers[0].values, f"The pack {path.name}")]
    else:
        folder, layers = path.parent, [_scenario_layer(path)]
        namers = [Namer.file(layers[0].values, path)]
    above = _layers_above(overrides, environ)
    layers += [layer for layer, _ in above]
    namers += [namer for _, namer in above]
    resolved = resolve_scenario(_options_follow_policy(layers))
    require_sound_lab(resolved)  # not of a recording's, which is only replayed: its lab is asked for nothing
    if not isinstance(found, PackPath):  # which spells the defaults out, as if somebody had asked for them
        _require_start(resolved)
    # Tables are looked for beside the scenario file first, then where the command was started.
    settings = resolved.settings.with_table_paths(partial(_found, beside=folder))
    settings = settings.with_cache_paths(partial(_found, beside=folder))
    settings = with_code_by(with_code_of(settings, namers[0].source), namers, folder)
    return replace(resolved, settings=settings)


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
    """Return what a person says beside the scenario, from the weakest to the strongest.

    Raises:
        SettingsError: When the command line holds a broker's password, or something that cannot be read.
    """
    require_no_password("--broker", overrides.flags.get("broker"))
    said = [
        environment_layer(Scenario, environ, ignore=NO_SETTINGS),
        set_layer(tuple(overrides.assignments)),
        _flag_layer(overrides.flags),
    ]
    require_no_password_set(said[1])
    above = [(layer, Namer.person(layer.values)) for layer in said]
    if overrides.file is None:
        return above
    additional = toml_layer(overrides.file)
    return [(additional, Namer.file(additional.values, overrides.file)), *above]


def _require_start(resolved: ResolvedSettings[Scenario]) -> None:
    """Check that who asks for a minimum of every family asks for a start set; a lab's has what the lab knows.

    Raises:
        SettingsError: When the minimum would count for nothing.
    """
    start, columns = resolved.settings.start, resolved.settings.pool.columns
    is_of_a_lab = columns is not None and columns.keeps_unmeasured()
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
