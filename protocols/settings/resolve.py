"""Settings of all layers, merged, completed and validated once, with the source of every value kept.

Later layers win and tables are merged key by key; lists are replaced whole. What follows from other settings is a layer
of its own below them. Everything wrong is reported at once, in plain words, with the place it came from. A secret
(`pydantic.SecretStr`) never reaches an error or a listing: values of secret fields, of tables that hold one, and
passwords in URLs are hidden, and unknown keys show no value at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from protocols.errors import SettingsError
from protocols.settings.derived import Rule, fill_in
from protocols.settings.fields import MAX_DEPTH, Key, dotted, fields_at, holds_secret, known_length, names_at, values_of
from protocols.settings.layers import Layer
from protocols.settings.origins import DEFAULT_SOURCE, DERIVED, Origin, source_at
from protocols.settings.problems import Given, Problem, settings_error, unknown_key, wrong_values
from protocols.settings.renamed import RenamedSettings, renamed_length
from protocols.settings.toml_types import mistyped
from protocols.settings.tree import can_be_set, put

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ResolvedSettings(Generic[M]):
    """Validated settings.

    Attributes:
        settings: The settings.
        source_of: Source of every value by dotted key, in the order of the model; `DEFAULT_SOURCE` where no layer
            sets it.
    """

    settings: M = field(repr=False)
    source_of: dict[str, str]

    def is_asked_for(self, key: str) -> bool:
        """Tell whether somebody set the value at a dotted key: it is no default and follows from no other setting."""
        source = self.source_of[key]
        return source != DEFAULT_SOURCE and not source.startswith(DERIVED)


def resolve(
    model: type[M], layers: Sequence[Layer], *, rules: Sequence[Rule] = (), renamed: RenamedSettings | None = None
) -> ResolvedSettings[M]:
    """Merge the layers, later ones winning, validate once, and say where every value comes from.

    Args:
        model: The settings; keys are the names of its fields.
        layers: From the weakest to the strongest.
        rules: What follows from what, where no layer says it.
        renamed: Settings that had another name once.

    Raises:
        SettingsError: With every unknown key and every wrong value (at most `MAX_PROBLEMS_LISTED` are listed).
    """
    given = Given(model, renamed or {})
    problems = [problem for layer in layers for problem in _merge(given, layer)]
    given.follows.update(fill_in(given.merged, given.origins, rules))
    settings: M | None = None
    details: list[ErrorDetails] = []
    try:
        settings = model.model_validate(given.merged, by_alias=False, by_name=True)
    except ValidationError as error:
        # Ours is raised outside of this block: pydantic's carries the inputs, and so the secrets.
        details = error.errors(include_url=False)
    problems += wrong_values(given, [*details, *mistyped(model, given.merged, given.origins)], problems)
    if settings is None or problems:
        raise settings_error(problems)
    source_of = {dotted(key): source_at(given.origins, key) or DEFAULT_SOURCE for key, _ in values_of(settings)}
    return ResolvedSettings(settings, source_of)


def _merge(given: Given, layer: Layer) -> list[Problem]:
    """Put a layer over what is merged; what matches no setting is left out and returned."""
    unknown: dict[Key, Origin] = {}
    for key, value in _leaves(given.model, layer, layer.values):
        origin = Origin(_source_in(layer, key), layer.lines)
        known = known_length(given.model, key)
        if known < len(key):
            unknown.setdefault(key[: max(known + 1, renamed_length(given.renamed, key))], origin)
            _open_section(given, key[:known])
            continue
        put(given.merged, key, dict(value) if isinstance(value, Mapping) else value)  # a layer stays as it is
        if value == {} and names_at(given.model, key):
            continue  # an empty section changes no setting
        for other in [other for other in given.origins if other[: len(key)] == key or key[: len(other)] == other]:
            del given.origins[other]
        given.origins[key] = origin
    return [unknown_key(given, key, origin.of(key)) for key, origin in unknown.items()]


def _open_section(given: Given, section: Key) -> None:
    """Let a section that must be there count as begun, although nothing in it is known yet."""
    must_be_there = section and any(found.is_required() for found in fields_at(given.model, section))
    if must_be_there and can_be_set(given.merged, section):
        put(given.merged, section, {})


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
