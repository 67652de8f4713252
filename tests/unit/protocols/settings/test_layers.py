"""Settings in layers: who wins, where a value comes from, and errors that a person can act on."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from rich.console import Console

from protocols.errors import SettingsError
from protocols.settings.fields import MAX_DEPTH, every_key
from protocols.settings.layers import Layer, environment_layer, set_layer, toml_layer
from protocols.settings.listing import settings_json, settings_table
from protocols.settings.resolve import resolve

SECRET = "hunter2-correct-horse"


class Broker(BaseModel):
    url: str = f"mqtt://me:{SECRET}@localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    password: SecretStr | None = None

    @field_validator("password", mode="before")
    @classmethod
    def _no_spaces(cls, value: Any) -> Any:
        if isinstance(value, str) and " " in value:
            message = f"{value} has a space"
            raise ValueError(message)
        return value


class Csv(BaseModel):
    kind: Literal["csv"]
    path: Path


class Database(BaseModel):
    kind: Literal["database"]
    address: str


class Settings(BaseModel):
    name: str = "demo"
    budget: int = Field(50, ge=1)
    policy: Literal["etal", "random"] = "etal"
    weights: tuple[float, ...] = (1.0,)
    policy_options: dict[str, Any] = {}
    tokens: list[SecretStr] = []
    broker: Broker = Broker()
    pool: Annotated[Csv | Database, Field(discriminator="kind")] | None = None

    @model_validator(mode="after")
    def _affordable(self) -> "Settings":
        if self.budget > 1000 and self.policy == "random":
            message = "a random run of more than 1000 requests tells nothing new"
            raise ValueError(message)
        return self


class Needy(BaseModel):
    campaign: str


def refusal(*layers: Layer, model: type[BaseModel] = Settings) -> str:
    with pytest.raises(SettingsError) as caught:
        resolve(model, layers)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_later_layers_win_and_sections_merge_key_by_key() -> None:
    resolved = resolve(
        Settings,
        [
            Layer("lab.toml", {"budget": 10, "broker": {"url": "mqtt://a", "port": 1}, "weights": [1, 2]}),
            environment_layer(Settings, {"ENTROPILOT_BROKER__PORT": "2", "PATH": "/bin"}),
            set_layer(("broker.port=3", "weights=[4]")),
        ],
    )
    assert (resolved.settings.budget, resolved.settings.broker.url) == (10, "mqtt://a")
    assert (resolved.settings.broker.port, resolved.settings.weights) == (3, (4.0,))
    sources = {key: resolved.source_of[key] for key in ("name", "budget", "broker.url", "broker.port", "weights")}
    assert sources == {
        "name": "default",
        "budget": "lab.toml",
        "broker.url": "lab.toml",
        "broker.port": "--set broker.port",
        "weights": "--set weights",
    }


def test_a_layer_may_replace_a_text_by_a_section_and_its_source_goes() -> None:
    resolved = resolve(
        Settings,
        [Layer("a", {"policy_options": {"length": {"x": 1}}}), Layer("b", {"policy_options": {"length": 2}})],
    )
    assert resolved.settings.policy_options == {"length": 2}
    assert resolved.source_of["policy_options.length"] == "b"
    assert "policy_options.length.x" not in resolved.source_of


def test_an_empty_section_changes_nothing() -> None:
    resolved = resolve(Settings, [Layer("a", {"broker": {"port": 7}}), Layer("b", {"broker": {}})])
    assert resolved.settings.broker.port == 7
    assert (resolved.source_of["broker.port"], resolved.source_of["broker.url"]) == ("a", "default")


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("ENTROPILOT_NAME", "123", "name", "123"),
        ("ENTROPILOT_NAME", "true", "name", "true"),
        ("ENTROPILOT_NAME", '{"a": 1}', "name", '{"a": 1}'),
        ("ENTROPILOT_BUDGET", "007", "budget", 7),
        ("ENTROPILOT_WEIGHTS", "[1, 2.5]", "weights", (1.0, 2.5)),
        ("ENTROPILOT_POLICY_OPTIONS", '{"a": 1}', "policy_options", {"a": 1}),
        ("ENTROPILOT_POLICY_OPTIONS__WINDOW", "3", "policy_options", {"window": 3}),
        ("ENTROPILOT_POLICY_OPTIONS__KERNEL", "rbf", "policy_options", {"kernel": "rbf"}),
    ],
)
def test_a_variable_becomes_what_its_setting_wants(variable: str, text: str, key: str, value: Any) -> None:
    resolved = resolve(Settings, [environment_layer(Settings, {variable: text})])
    assert getattr(resolved.settings, key) == value


def test_a_table_given_whole_and_a_variable_inside_of_it_merge() -> None:
    environ = {"ENTROPILOT_BROKER__PORT": "9", "ENTROPILOT_BROKER": '{url = "mqtt://b", port = 8}'}
    resolved = resolve(Settings, [environment_layer(Settings, environ)])
    assert (resolved.settings.broker.url, resolved.settings.broker.port) == ("mqtt://b", 9)
    assert resolved.source_of["broker.url"] == "ENTROPILOT_BROKER"
    assert resolved.source_of["broker.port"] == "ENTROPILOT_BROKER__PORT"


@pytest.mark.parametrize("text", ["1234", '"quoted"', "true", '{"a":1}'])
def test_a_secret_is_the_text_as_it_was_typed(text: str) -> None:
    environment = environment_layer(Settings, {"ENTROPILOT_BROKER__PASSWORD": text})
    for layer in (environment, set_layer((f"broker.password={text}",))):
        password = resolve(Settings, [layer]).settings.broker.password
        assert password is not None
        assert password.get_secret_value() == text


def test_an_unknown_key_names_its_file_and_the_nearest_setting() -> None:
    said = refusal(Layer("lab.toml", {"buget": 3}))
    assert "no setting buget (from lab.toml)" in said
    assert "use budget, the nearest" in said


def test_an_unknown_key_that_stands_in_another_section_is_found_there() -> None:
    assert "use broker.port" in refusal(Layer("lab.toml", {"port": 3}))


def test_an_unknown_key_without_a_neighbour_lists_what_there_is() -> None:
    assert "in broker: one of url, port, password" in refusal(Layer("lab.toml", {"broker": {"zzzzzz": 3}}))


def test_an_unknown_variable_is_an_error_with_the_right_variable_unless_ignored() -> None:
    environ = {"ENTROPILOT_BROKER__PASSWRD": SECRET}
    said = refusal(environment_layer(Settings, environ))
    assert "from ENTROPILOT_BROKER__PASSWRD" in said
    assert "use ENTROPILOT_BROKER__PASSWORD" in said
    resolve(Settings, [environment_layer(Settings, environ, ignore=frozenset(environ))])


def test_a_wrong_value_is_named_with_what_was_expected_and_its_source() -> None:
    said = refusal(environment_layer(Settings, {"ENTROPILOT_BUDGET": "many"}))
    assert 'budget is "many" (from ENTROPILOT_BUDGET)' in said
    assert "Expected: a whole number, at least 1." in said


def test_a_value_out_of_range_and_one_outside_of_a_list_say_the_limits() -> None:
    said = refusal(set_layer(("broker.port=99999", "policy=etl")))
    assert "broker.port is 99999 (from --set broker.port); expected at least 1, at most 65535" in said
    assert "policy is \"etl\" (from --set policy); expected one of 'etal' or 'random'" in said


def test_a_value_inside_of_a_list_and_of_a_union_is_named_by_its_key() -> None:
    assert 'weights.1 is "x"' in refusal(Layer("lab.toml", {"weights": [1, "x"]}))
    said = refusal(Layer("lab.toml", {"pool": {"kind": "csv", "path": 3}}))
    assert "pool.path is 3 (from lab.toml)" in said
    assert "pool.path is not set" in refusal(Layer("lab.toml", {"pool": {"kind": "csv"}}))


def test_what_two_settings_say_together_is_checked_too() -> None:
    said = refusal(Layer("lab.toml", {"budget": 2000, "policy": "random"}))
    assert "tells nothing new" in said
    assert "lab.toml" in said


def test_a_missing_setting_says_the_ways_to_set_it() -> None:
    said = refusal(model=Needy)
    assert "campaign is not set" in said
    assert "ENTROPILOT_CAMPAIGN" in said
    assert "--set campaign=" in said


def test_all_errors_are_listed_up_to_ten() -> None:
    said = refusal(Layer("lab.toml", {f"unknown_{index}": 1 for index in range(14)}))
    assert said.startswith("14 settings are wrong")
    assert said.count("\n  - There is no setting") == 10
    assert "and 4 more" in said


@pytest.mark.parametrize(
    "values",
    [
        {"broker": {"password": [SECRET]}},
        {"name": "", "broker": {"password": [SECRET]}},
        {"broker": {"password": f"{SECRET} x"}},
        {"broker": SECRET},
        {"broker": {"port": 0, "password": SECRET}},
        {"tokens": SECRET},
        {"tokens": [SECRET, 3]},
        {"name": [f"mqtt://me:{SECRET}@host"]},
        {"broker": {"passwrd": SECRET}},
    ],
)
def test_a_secret_never_reaches_an_error(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve(Settings, [Layer("lab.toml", values)])
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__ or error.__context__


def test_a_validator_that_repeats_a_secret_is_not_quoted() -> None:
    said = refusal(Layer("lab.toml", {"broker": {"password": f"{SECRET} x"}}))
    assert "broker.password is ********** (from lab.toml). Expected: a value that its check accepts" in said


def test_a_secret_never_reaches_a_listing() -> None:
    values = {"tokens": [SECRET], "broker": {"password": SECRET, "url": f"mqtt://me:{SECRET}@h"}}
    layer = Layer("lab.toml", values)
    resolved = resolve(Settings, [layer, set_layer((f"broker.password={SECRET}",))])
    console = Console(width=100, record=True, file=StringIO())
    console.print(settings_table(resolved))
    listing = json.loads(settings_json(resolved))
    assert SECRET not in settings_json(resolved) + console.export_text() + str(resolved.source_of) + repr(resolved)
    assert listing["broker.password"] == {"value": "**********", "from": "--set broker.password", "meaning": ""}
    assert listing["broker.url"]["value"] == "mqtt://me:**********@h"


def test_the_table_has_key_value_and_source() -> None:
    console = Console(width=80, record=True, file=StringIO())
    console.print(settings_table(resolve(Settings, [Layer("lab.toml", {"budget": 7, "name": "[red]x"})])))
    rows = [line.split() for line in console.export_text().splitlines()]
    assert rows[0] == ["key", "value", "comes", "from"]
    assert ["budget", "7", "lab.toml"] in rows
    assert ["name", '"[red]x"', "lab.toml"] in rows
    assert ["policy", '"etal"', "default"] in rows


def test_every_listed_value_has_a_source() -> None:
    resolved = resolve(Settings, [Layer("a", {"pool": {"kind": "csv", "path": "x.csv"}})])
    assert set(json.loads(settings_json(resolved))) == set(resolved.source_of)
    assert resolved.source_of["pool.path"] == "a"


def test_a_toml_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_bytes(b"\xef\xbb\xbf[broker]\nport = 5\n")
    resolved = resolve(Settings, [toml_layer(path)])
    assert resolved.settings.broker.port == 5
    assert resolved.source_of["broker.port"] == f"{path}, line 2"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = 1\nb = red\n", "line 2, column 5"),
        (b"a = 1\nb = [\n", "at its end, line 2"),
        (b"a = 1\nb = '\xff'\n", "not UTF-8 text \\(line 2\\)"),
        (b"#" * (1024 * 1024 + 1), "larger than"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "lab.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        toml_layer(path)


def test_a_missing_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        toml_layer(tmp_path / "none.toml")


@pytest.mark.parametrize("assignment", ["budget", "=3", "a b=3", "a\nb=3", "a.=1", "#=1"])
def test_an_assignment_that_is_none_is_refused(assignment: str) -> None:
    with pytest.raises(SettingsError, match="--set was given"):
        set_layer((assignment,))


def test_tables_nested_without_end_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50):
        deep = {"a": deep}
    assert "nested too deeply" in refusal(Layer("lab.toml", {"policy_options": deep}))


def test_a_table_given_whole_after_a_part_of_it_keeps_the_part() -> None:
    resolved = resolve(Settings, [set_layer(("broker.url=mqtt://b", "broker={port = 8}"))])
    assert (resolved.settings.broker.url, resolved.settings.broker.port) == ("mqtt://b", 8)


def test_a_text_that_only_begins_like_a_table_is_a_text() -> None:
    assert resolve(Settings, [set_layer(("name={not a table",))]).settings.name == "{not a table"


class Strict(BaseModel, extra="forbid"):
    kind: Literal["strict"]


class Loose(BaseModel):
    kind: Literal["loose"]
    address: str


class Odd(BaseModel):
    source: Annotated[Strict | Loose, Field(discriminator="kind")] | None = None
    name: str = ""

    @field_validator("name")
    @classmethod
    def _odd(cls, value: str) -> str:
        if value:
            raise PydanticCustomError("odd", "Nothing at all")
        return value


def test_a_setting_of_another_kind_of_section_is_no_setting_of_this_one() -> None:
    said = refusal(Layer("a.toml", {"source": {"kind": "strict", "address": "x"}}), model=Odd)
    assert "There is no setting source.address (from a.toml)" in said
    assert "use source.address" not in said


def test_what_a_check_of_another_library_expects_is_said_in_its_words() -> None:
    assert "Expected: nothing at all" in refusal(Layer("a.toml", {"name": "x"}), model=Odd)


class Node(BaseModel):
    below: "Node | None" = None


def test_settings_that_hold_themselves_are_listed_to_a_depth() -> None:
    keys = list(every_key(Node))
    assert len(keys) == MAX_DEPTH
    assert keys[-1] == ("below",) * MAX_DEPTH


class Lab(BaseModel):
    instruments: dict[str, Broker] = {}


def test_sections_that_the_user_names_have_settings_with_neighbours_types_and_secrets_too() -> None:
    wrong = Layer("lab.toml", {"instruments": {"furnace": {"prot": 1}}})
    assert "There is no setting instruments.furnace.prot (from lab.toml)" in refusal(wrong, model=Lab)
    assert "use instruments.furnace.port" in refusal(wrong, model=Lab)
    assert "one of instruments" in refusal(Layer("lab.toml", {"zzzzzz": 1}), model=Lab)
    below = refusal(Layer("lab.toml", {"instruments": {"furnace": {"port": {"x": 1}}}}), model=Lab)
    assert "instruments.furnace.port" in below
    variables = {"ENTROPILOT_INSTRUMENTS__FURNACE__PASSWORD": "1234"}
    lab = resolve(Lab, [environment_layer(Lab, variables)])
    assert lab.settings.instruments["furnace"].password == SecretStr("1234")
    assert '"1234"' not in settings_json(lab)
    secret = Layer("lab.toml", {"instruments": {"furnace": {"password": f"{SECRET} 2", "port": 0}}})
    assert "instruments.furnace.password is **********" in refusal(secret, model=Lab)


def written(tmp_path: Path, text: str) -> Layer:
    path = tmp_path / "lab.toml"
    path.write_text(text)
    return replace(toml_layer(path), source="lab.toml")


def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    said = refusal(
        written(
            tmp_path,
            """budget = 0
weights = [
  1.0,  # fine
  "x",
]
policy = "etl"

[broker]
prot = 1
port.x = 2
[pool]
kind = "csv"
""",
        )
    )
    assert "budget is 0 (from lab.toml, line 1)" in said
    assert 'weights.1 is "x" (from lab.toml, line 4)' in said
    assert "policy is \"etl\" (from lab.toml, line 6); expected one of 'etal' or 'random'; did you mean 'etal'?" in said
    assert "no setting broker.prot (from lab.toml, line 9)" in said
    assert "broker.port is wrong (from lab.toml, line 10); expected a whole number" in said
    assert "pool.path is not set (in lab.toml, line 2)" in refusal(written(tmp_path, '\n[pool]\nkind = "csv"\n'))


def test_what_a_whole_section_says_is_told_with_the_line_of_its_header(tmp_path: Path) -> None:
    first = written(tmp_path, 'budget = 2000\npolicy = "random"\n\n[instruments]\n[instruments.a]\nurl = "x"\n')
    assert "tells nothing new" in refusal(first)
    assert "from lab.toml)" in refusal(first), "the settings together have no line"
    wrong = written(tmp_path, "[broker]\nport = 1\n[name]\nx = 1\ny = 2\n")
    assert "name is wrong (from lab.toml, line 3). Expected: text" in refusal(wrong)


def test_a_section_is_not_suggested_for_what_stands_in_it() -> None:
    said = refusal(set_layer(("broker.zzz=1",)))
    assert "use broker" not in said
    assert "in broker: one of url, port, password" in said


class Amount(BaseModel, extra="forbid"):
    size: float | dict[str, float]


class Stock(BaseModel, extra="forbid"):
    amounts: tuple[Amount, ...] = ()
    amount: Amount | None = None


def test_a_table_that_might_have_been_a_number_is_blamed_only_for_what_is_wrong_in_it() -> None:
    said = refusal(Layer("a.toml", {"amount": {"size": {"steel": "much"}}}), model=Stock)
    assert said.startswith('amount.size.steel is "much" (from a.toml)')


def test_a_wrong_key_in_a_list_of_tables_names_the_right_one() -> None:
    said = refusal(Layer("a.toml", {"amounts": [{"size": 1, "siez": 2}]}), model=Stock)
    assert "no setting amounts.0.siez (from a.toml)" in said
    assert "use amounts.0.size" in said


class Terms(BaseModel):
    budget: int
    unit: str


class Plan(BaseModel):
    terms: Terms
    notes: Terms | None = None


def test_a_misspelt_setting_is_one_fault_told_with_its_table(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, '[terms]\nunit = "eV"\nbuget = 5\n'), model=Plan)
    assert said.startswith("There is no setting terms.buget (from lab.toml, line 3). What to do: use terms.budget")


def test_a_misspelt_setting_that_stands_alone_in_its_table_is_told_with_what_else_the_table_lacks() -> None:
    said = refusal(Layer("lab.toml", {"terms": {"buget": 5}}), model=Plan)
    assert "There is no setting terms.buget (from lab.toml); use terms.budget" in said
    assert (
        "terms.unit is not set; set it in a settings file, by ENTROPILOT_TERMS__UNIT or by --set terms.unit=…" in said
    )
    assert said.startswith("2 settings are wrong")


def test_a_misspelt_setting_of_a_table_that_need_not_be_there_asks_for_nothing_else() -> None:
    given = Layer("lab.toml", {"terms": {"budget": 5, "unit": "K"}, "notes": {"zzzzz": 5}})
    assert refusal(given, model=Plan).startswith(
        "There is no setting notes.zzzzz (from lab.toml). Expected: in notes: "
    )


def test_a_table_that_is_not_there_is_told_by_its_name() -> None:
    assert refusal(model=Plan).startswith(
        "terms is not set. What to do: set it in a settings file, by ENTROPILOT_TERMS"
    )
