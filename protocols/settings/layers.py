"""Settings in layers: files, environment and flags, validated once, with the source of every value kept.

Later layers win and tables are merged key by key; lists are replaced whole. Everything wrong is reported at once, in
plain words, with the place it came from. A secret (`pydantic.SecretStr`) never reaches an error or a listing: values
of secret fields, of tables that hold one, and passwords in URLs are hidden, and unknown keys show no value at all.

pydantic-settings is not used: it merges its sources before validation, so an error could not name where it came from.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from protocols.errors import SettingsError
from protocols.settings.fields import (
    MAX_DEPTH,
    Key,
    dotted,
    fields_at,
    holds_secret,
    known_length,
    names_at,
    values_of,
)
from protocols.settings.origins import Origin, source_at
from protocols.settings.problems import (
    ENVIRONMENT_PREFIX,
    Problem,
    settings_error,
    unknown_key,
    wrong_values,
)
from protocols.settings.toml_lines import toml_lines
from protocols.settings.toml_types import mistyped

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from rich.table import Table

DEFAULT_SOURCE: Final = "default"
"""Source of a value that no layer sets."""

MAX_SETTINGS_BYTES: Final = 1024 * 1024
"""Largest settings file [byte]: a thousand times what a person writes."""

M = TypeVar("M", bound=BaseModel)


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


@dataclass(frozen=True, slots=True)
class Resolved(Generic[M]):
    """Validated settings.

    Attributes:
        settings: The settings.
        source_of: Source of every value by dotted key, in the order of the model; `DEFAULT_SOURCE` where no layer
            sets it.
    """

    settings: M = field(repr=False)
    source_of: dict[str, str]


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
            action="mend that line; text needs quotes, and a table stands once",
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


def resolve(model: type[M], layers: Sequence[Layer]) -> Resolved[M]:
    """Merge the layers, later ones winning, validate once, and say where every value comes from.

    Args:
        model: The settings; keys are the names of its fields.
        layers: From the weakest to the strongest.

    Raises:
        SettingsError: With every unknown key and every wrong value (at most `MAX_PROBLEMS_LISTED` are listed).
    """
    merged: dict[str, Any] = {}
    origins: dict[Key, Origin] = {}
    problems: list[Problem] = []
    for layer in layers:
        problems += _merge(model, layer, merged, origins)
    settings: M | None = None
    details: list[ErrorDetails] = []
    try:
        settings = model.model_validate(merged, by_alias=False, by_name=True)
    except ValidationError as error:
        # Ours is raised outside of this block: pydantic's carries the inputs, and so the secrets.
        details = error.errors(include_url=False)
    problems += wrong_values(model, merged, origins, [*details, *mistyped(model, merged, origins)])
    if settings is None or problems:
        raise settings_error(problems)
    source_of = {dotted(key): source_at(origins, key) or DEFAULT_SOURCE for key, _ in values_of(settings)}
    return Resolved(settings, source_of)


def settings_table(resolved: Resolved[M]) -> Table:
    """Lay the settings out for a terminal: key, value, source; secrets hidden, defaults dim."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("key", no_wrap=True)
    table.add_column("value")
    table.add_column("comes from")
    for key, value in values_of(resolved.settings):
        source = resolved.source_of[dotted(key)]
        style = "dim" if source == DEFAULT_SOURCE else ""
        shown = json.dumps(value, ensure_ascii=False)
        cells = (dotted(key), shown, source)
        table.add_row(*(Text(cell, style, overflow="fold") for cell in cells))
    return table


def settings_json(resolved: Resolved[M]) -> str:
    """Return the settings as JSON: by dotted key, `value` and `from`; secrets hidden."""
    listing = {
        dotted(key): {"value": value, "from": resolved.source_of[dotted(key)]}
        for key, value in values_of(resolved.settings)
    }
    return json.dumps(listing, indent=2, ensure_ascii=False, allow_nan=False)


def _merge(model: type[BaseModel], layer: Layer, merged: dict[str, Any], origins: dict[Key, Origin]) -> list[Problem]:
    """Put a layer over what is merged; what matches no setting is left out and returned."""
    unknown: dict[Key, Origin] = {}
    for key, value in _leaves(model, layer, layer.values):
        origin = Origin(_source_in(layer, key), layer.lines)
        known = known_length(model, key)
        if known < len(key):
            unknown.setdefault(key[: known + 1], origin)
            continue
        _put(merged, key, value)
        if value == {} and names_at(model, key):
            continue  # an empty section changes no setting
        for other in [other for other in origins if other[: len(key)] == key or key[: len(other)] == other]:
            del origins[other]
        origins[key] = origin
    return [unknown_key(model, key, origin.of(key)) for key, origin in unknown.items()]


def _leaves(
    model: type[BaseModel], layer: Layer, tree: Mapping[str, Any], above: Key = ()
) -> Iterator[tuple[Key, Any]]:
    """Yield every value that is no table, and every empty table, guessed types put right."""
    for name, given in tree.items():
        key = (*above, name)
        if len(key) > MAX_DEPTH:
            raise SettingsError(
                f"A setting below {dotted(key[:3])} (from {layer.source}) is nested too deeply",
                expected=f"at most {MAX_DEPTH} levels",
            )
        value = _as_typed(model, key, given, layer.texts.get(dotted(key)))
        if isinstance(value, Mapping) and value:
            yield from _leaves(model, layer, value, key)
        else:
            yield key, value


def _source_in(layer: Layer, key: Key) -> str:
    """The closest source that the layer knows: the key's own, or that of a table given whole."""
    for length in range(len(key), 0, -1):
        if (source := layer.source_of.get(dotted(key[:length]))) is not None:
            return source
    return layer.source


def _put(tree: dict[str, Any], key: Key, value: Any) -> None:
    """Put a value into nested tables, merging a table into a table."""
    for segment in key[:-1]:
        below = tree.get(segment)
        if not isinstance(below, dict):
            below = tree[segment] = {}
        tree = below
    there = tree.get(key[-1])
    if isinstance(there, dict) and isinstance(value, Mapping):
        for name, inner in value.items():
            _put(there, (name,), inner)
    else:
        tree[key[-1]] = value


def _as_typed(model: type[BaseModel], key: Key, value: Any, text: str | None) -> Any:
    """Take a guess back where the setting wants the text as it was typed: the password 1234 is no number."""
    found = fields_at(model, key)
    if text is None or not found or value == text:
        return value
    annotated: Any = Annotated[found[0].annotation, found[0]]
    adapter: TypeAdapter[Any] = TypeAdapter(annotated)
    if not _fits(adapter, text):
        return value
    return text if holds_secret(model, key) or not _fits(adapter, value) else value


def _fits(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


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
        _put(values, key, _guess(text))
    return Layer(
        source,
        values,
        source_of={dotted(key): said for key, _, said in texts},
        texts={dotted(key): text for key, text, _ in texts},
    )
