"""Layers of settings: a file, the environment, the flags, each as nested tables with the source of every value.

pydantic-settings is not used: it merges its sources before validation, so an error could not name where it came from.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from protocols.errors import SettingsError
from protocols.settings.fields import Key, dotted, names_at
from protocols.settings.problems import ENVIRONMENT_PREFIX
from protocols.settings.toml_lines import toml_lines
from protocols.settings.tree import put

MAX_SETTINGS_BYTES: Final = 1024 * 1024
"""Largest settings file [byte]: a thousand times what a person writes."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one source.

    Attributes:
        source: Where they come from, as a person knows it (a file name, "environment", "command line").
        values: Nested by section, as `tomllib` gives them.
        source_of: A closer source by dotted key (`ENTROPILOT_BROKER__URL`, `--seed`), where there is one.
        texts: The text as it was typed, by dotted key, of values whose type had to be guessed.
        lines: For a file, the line of every key.
    """

    source: str
    values: Mapping[str, Any]
    source_of: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    lines: Mapping[Key, int] = field(default_factory=dict, repr=False)


def toml_layer(path: Path) -> Layer:
    """Read a settings file.

    Raises:
        SettingsError: When it cannot be read, is too large, or is not valid TOML (with line and column).
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SETTINGS_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read ({error.strerror or type(error).__name__})",
            expected="a TOML file",
            action="check its name and its permissions",
        ) from error
    if len(content) > MAX_SETTINGS_BYTES:
        raise SettingsError(
            f"The settings file {path} is larger than {MAX_SETTINGS_BYTES} bytes",
            expected="settings, not tables of values",
            action="name tables by their path",
        )
    try:
        text = content.decode("utf-8-sig")
        values, lines = tomllib.loads(text), toml_lines(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"The settings file {path} is not UTF-8 text (line {line})", action="save it with the encoding UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        told = str(error).replace("at end of document", f"at its end, line {len(text.splitlines())}")
        raise SettingsError(
            f"The settings file {path} is not valid TOML: {told}",
            action="correct that line; text needs quotes, and a table stands once",
        ) from error
    except RecursionError:
        raise SettingsError(f"The settings file {path} is nested too deeply") from None
    return Layer(str(path), values, lines=lines)


def environment_layer(
    model: type[BaseModel], environ: Mapping[str, str], *, ignore: frozenset[str] = frozenset()
) -> Layer:
    """Take the variables that begin with `ENTROPILOT_`; those that match no setting are reported by `resolve`.

    Args:
        model: The settings; names are matched without regard to case.
        environ: Variables by name (`os.environ`).
        ignore: Full names of variables that are ours and no settings.
    """
    ours = [name for name in environ if name.startswith(ENVIRONMENT_PREFIX) and name not in ignore]
    # A table given whole comes before a variable inside of it, which wins.
    ours.sort(key=lambda name: (name.count("__"), name))
    return _layer_of_texts("environment", [(_key_of_variable(model, name), environ[name], name) for name in ours])


def set_layer(assignments: Sequence[str]) -> Layer:
    """Take assignments of the command line (`campaign.budget=100`): TOML values, else text.

    Raises:
        SettingsError: When an assignment has no key or no `=`.
    """
    texts: list[tuple[Key, str, str]] = []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        key = _key_of_flag(name.strip())
        if not equals or key is None:
            # Without a key, all of it may be a secret.
            found = f"--set was given the key {name.strip()!r}" if equals else "--set was given no ="
            raise SettingsError(
                found, expected="section.key=value", action="write for example --set campaign.budget=100"
            )
        texts.append((key, text.strip(), f"--set {dotted(key)}"))
    return _layer_of_texts("command line", texts)


def _key_of_variable(model: type[BaseModel], name: str) -> Key:
    key: Key = ()
    for segment in name.removeprefix(ENVIRONMENT_PREFIX).split("__"):
        names = {known.lower(): known for known in names_at(model, key)}
        key = (*key, names.get(segment.lower(), segment.lower()))
    return key


def _key_of_flag(text: str) -> Key | None:
    try:
        tree: Any = tomllib.loads(f"{text} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    key: Key = ()
    while isinstance(tree, dict):
        if len(tree) != 1:
            return None
        ((segment, tree),) = tree.items()
        key = (*key, segment)
    return key


def _guess(text: str) -> Any:
    """The TOML value that the text is, or else the JSON table, or else the text."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        parsed = {}
    if len(parsed) == 1:
        return parsed["value"]
    if text.startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _layer_of_texts(source: str, texts: Sequence[tuple[Key, str, str]]) -> Layer:
    """Make a layer of (key, text as typed, source)."""
    values: dict[str, Any] = {}
    for key, text, _ in texts:
        put(values, key, _guess(text))
    return Layer(
        source,
        values,
        source_of={dotted(key): said for key, _, said in texts},
        texts={dotted(key): text for key, text, _ in texts},
    )
