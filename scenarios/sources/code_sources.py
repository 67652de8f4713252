"""Where code of the user's own may come from: what a person names is found; what a recording or pack names is refused.

| who names a policy or an evaluator | where it is found |
|---|---|
| a scenario or settings file that a person names | the file's folder, or installed |
| the command line, the environment | a file relative to the current folder; or a module that is installed |
| a recording, a pack | nowhere; with `--allow-code FOLDER`: that folder, or installed |

A calculator that settings name needs a person's word besides, on the command line of whoever runs the simulator
(`--allow-calculator NAME`): it runs with all the rights of the lab. Without that word nothing is found.

A file's path is kept without the place of this machine: relative to the folder that it is found in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from protocols.errors import SettingsError
from protocols.settings.user_code import FLAG, INSTALLED, CodeSource, is_file, is_user_code, split_name
from scenarios.settings.model import Scenario
from simulators.calculators.own import AllowedCalculator
from simulators.settings import SimulatorSettings

_ALLOWED: Final[ContextVar[Path | None]] = ContextVar("allowed", default=None)
"""The folder that `--allow-code` names; it holds for a whole command, whatever that reads."""

_ALLOWED_CALCULATORS: Final[ContextVar[tuple[str, ...]]] = ContextVar("allowed_calculators", default=())
"""What `--allow-calculator` names; it holds for a whole command."""

_Place = Callable[[str, Sequence[str]], tuple[str, CodeSource] | None]
"""Says of a name, and the settings that may have it, how it is kept and where its class may come from."""


@dataclass(frozen=True, slots=True)
class Namer:
    """Who names code.

    Attributes:
        values: What it says, nested as the settings are.
        source: Where modules that it names may come from.
        beside: The folder that paths are relative to.
    """

    values: Mapping[str, Any]
    source: CodeSource
    beside: Path

    @classmethod
    def file(cls, values: Mapping[str, Any], path: Path) -> Namer:
        """A scenario or settings file of a person's own."""
        folder = path.absolute().parent
        return cls(values, CodeSource(str(folder)), folder)

    @classmethod
    def person(cls, values: Mapping[str, Any]) -> Namer:
        """The command line or the environment."""
        return cls(values, INSTALLED, Path.cwd())

    @classmethod
    def stranger(cls, values: Mapping[str, Any], name: str) -> Namer:
        """A recording or a pack, by what it is called in messages."""
        source = source_for(name)
        return cls(values, source, Path(source.folder or Path.cwd()))


@contextmanager
def allowing_code(folder: Path | None) -> Iterator[None]:
    """Allow for a command, or a part of a program, the code that recordings and packs name.

    Args:
        folder: Where it is; None allows nothing.

    Raises:
        SettingsError: When there is no such folder.
    """
    if folder is not None and not folder.is_dir():
        raise SettingsError(
            f"{FLAG} names {folder}, which is no folder",
            expected="the folder with the code that the recording or pack names",
            action=f"{FLAG} . allows that of the current folder, and installed modules",
        )
    token = _ALLOWED.set(None if folder is None else folder.absolute())
    try:
        yield
    finally:
        _ALLOWED.reset(token)


@contextmanager
def allowing_calculators(names: Sequence[str]) -> Iterator[None]:
    """Allow for a command, or a part of a program, calculators of the user's own.

    Args:
        names: As the settings name them, or `path/to/file.py:factory` relative to the current folder.
    """
    token = _ALLOWED_CALCULATORS.set(tuple(names))
    try:
        yield
    finally:
        _ALLOWED_CALCULATORS.reset(token)


def source_for(name: str) -> CodeSource:
    """Return where the code may come from that a recording or a pack names.

    Args:
        name: What names it, as messages say it.
    """
    folder = _ALLOWED.get()
    return CodeSource(named_by=name) if folder is None else CodeSource(str(folder))


def with_code_of(scenario: Scenario, source: CodeSource) -> Scenario:
    """Return a scenario all of whose code comes from one place."""
    return _with_code(scenario, lambda name, _keys: (name, source))


def with_code_like(scenario: Scenario, other: Scenario) -> Scenario:
    """Return a scenario whose code comes from where that of another one does, part by part."""

    def place(name: str, keys: Sequence[str]) -> tuple[str, CodeSource]:
        if keys[0].startswith("campaign."):
            return name, other.campaign.code
        instrument = keys[0].split(".")[1] if len(keys) > 1 else ""
        simulator = other.simulators.get(instrument, other.simulator)
        allowed = simulator.allowed_calculator
        return name, simulator.code if allowed is None or not keys[0].endswith(".calculator") else allowed.source

    return _with_code(scenario, place)


def with_code_by(scenario: Scenario, namers: Sequence[Namer], home: Path | None = None) -> Scenario:
    """Return a scenario with where the code comes from that its layers name.

    Args:
        scenario: Made of the layers.
        namers: The layers, from the weakest to the strongest. What none of them names stays as it is.
        home: The folder of the scenario's file; a path below it is kept relative to it.
    """

    def place(name: str, keys: Sequence[str]) -> tuple[str, CodeSource] | None:
        for namer in reversed(namers):
            if any(_value_at(namer.values, key) == name for key in keys):
                return place_of(name, namer, home)
        return None

    return _with_code(scenario, place)


def place_of(name: str, namer: Namer, home: Path | None = None) -> tuple[str, CodeSource]:
    """Return a name without the place of this machine, and where its class may come from.

    Args:
        name: Of a policy or an evaluator.
        namer: Who names it.
        home: The folder of the scenario's file.
    """
    where, class_name = split_name(name)
    if namer.source.named_by or not is_file(where):
        return name, namer.source
    file = Path(os.path.normpath(namer.beside.absolute() / where))
    for folder in (home and home.absolute(), namer.beside.absolute(), file.parent):
        if folder is not None and file.is_relative_to(folder):
            return f"{file.relative_to(folder).as_posix()}:{class_name}", CodeSource(str(folder))
    return name, CodeSource(str(file.parent))


def _with_code(scenario: Scenario, place: _Place) -> Scenario:
    campaign = scenario.campaign
    for setting in ("metrics_of", "policy"):  # the policy's place holds for both
        named = getattr(campaign, setting)
        if is_user_code(named) and (found := place(named, [f"campaign.{setting}"])) is not None:
            campaign = campaign.with_code(found[1], **{setting: found[0]})

    def of(simulator: SimulatorSettings, *keys: str) -> SimulatorSettings:
        named = simulator.evaluator
        found = place(named, [f"{key}.evaluator" for key in keys]) if is_user_code(named) else None
        kept = simulator if found is None else simulator.with_code(found[1], evaluator=found[0])
        calculator = simulator.calculator
        found = place(calculator, [f"{key}.calculator" for key in keys]) if is_user_code(calculator) else None
        return kept if found is None else kept.with_allowed_calculator(_allowed(calculator, *found))

    several = {name: of(each, f"simulators.{name}", "simulator") for name, each in scenario.simulators.items()}
    update = {"campaign": campaign, "simulator": of(scenario.simulator, "simulator"), "simulators": several}
    return scenario.model_copy(update=update)


def _allowed(name: str, kept: str, source: CodeSource) -> AllowedCalculator | None:
    """Return the calculator of that name as a person has allowed it; None where nobody has.

    Args:
        name: As the settings name it.
        kept: The same without the place of this machine.
        source: Where it comes from; what a stranger names comes from where the person's own word finds it.
    """
    for allowed in _ALLOWED_CALCULATORS.get():
        of_the_person = place_of(allowed, Namer.person({}))
        if source.named_by and allowed == name:
            return AllowedCalculator(*of_the_person)
        if not source.named_by and (allowed in {name, kept} or _same_file(of_the_person, (kept, source))):
            return AllowedCalculator(kept, source)
    return None


def _same_file(one: tuple[str, CodeSource], other: tuple[str, CodeSource]) -> bool:
    return all(is_file(split_name(name)[0]) for name, _ in (one, other)) and _full(*one) == _full(*other)


def _full(name: str, source: CodeSource) -> Path:
    return Path(source.folder or Path.cwd(), name)


def _value_at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values
