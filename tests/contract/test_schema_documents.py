"""The generated documents: they are what the code generates, and they refuse what the code refuses."""

import ast
import copy
import inspect
import json
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from pydantic import BaseModel

from protocols.errors import MessageError, StoreError
from protocols.recording.writer import RecordingWriter
from protocols.schema.asyncapi import SCHEMAS
from protocols.schema.descriptions import (
    BEYOND_THE_SCHEMA,
    EVERY_MESSAGE_BEYOND,
    LENIENCE,
    VALUE_MEANINGS,
)
from protocols.schema.documents import documents
from protocols.schema.examples import CAMPAIGN, EXAMPLES, SIMULATOR, examples_of
from protocols.schema.files import SCHEMA_FOLDER, drift, write_documents
from protocols.schema.messages import message_name
from protocols.wire import messages, molecule, structure
from protocols.wire.codec import CHANNEL_OF, decode, decode_payload, encode, topic_of
from protocols.wire.limits import (
    MAX_ATOMS,
    MAX_FAMILIES,
    MAX_ID_LENGTH,
    MAX_PARAMETERS,
    MAX_PROVENANCE,
    MAX_QUANTITIES,
    MAX_RAW_FILES,
    MAX_REMARK_LENGTH,
    MAX_REPLICATES,
    MAX_SENT_FEATURES,
    MAX_TEXT_LENGTH,
)
from protocols.wire.messages import MESSAGE_TYPES, FamilyBias, Message, MetricsReport
from protocols.wire.topics import Channel, agent_subscriptions, parse, simulator_subscriptions

Json = dict[str, Any]
Change = Callable[[Json], None]

DOCUMENTS: dict[str, Json] = {name: json.loads(text) for name, text in documents().items()}
ASYNCAPI = DOCUMENTS["asyncapi.json"]
NAMES = [message_name(model) for model in MESSAGE_TYPES]
WIRES: dict[str, list[Json]] = {
    message_name(model): [json.loads(encode(example)) for example in examples_of(model)] for model in MESSAGE_TYPES
}
WIRE: dict[str, Json] = {name: wires[0] for name, wires in WIRES.items()}
OF_A_MOLECULE = WIRES["candidate_request"][2]
VALIDATORS = {name: Draft202012Validator(DOCUMENTS[f"{name}.schema.json"]) for name in NAMES}

each_message = pytest.mark.parametrize("name", NAMES)


def code_accepts(text: str) -> bool:
    try:
        decode_payload(text.encode())
    except MessageError:
        return False
    return True


def schema_accepts(name: str, text: str) -> bool:
    return bool(VALIDATORS[name].is_valid(json.loads(text)))


def changed(name: str, change: Change, message: Json | None = None) -> str:
    content = copy.deepcopy(message or WIRE[name])
    change(content)
    return json.dumps(content)


# --- the files -------------------------------------------------------------------------------------------------------


def test_the_committed_documents_are_what_the_code_generates() -> None:
    assert drift(SCHEMA_FOLDER) == []


def test_documents_end_with_one_line_feed_and_are_sorted_by_name() -> None:
    made = documents()
    assert list(made) == sorted(made)
    assert set(made) == {"asyncapi.json", "recording.schema.json", *(f"{name}.schema.json" for name in NAMES)}
    assert all(text.endswith("}\n") and "\r" not in text for text in made.values())


def test_drift_names_what_is_missing_changed_and_stale_and_writing_mends_it(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "schema"
    assert [path.name for path in write_documents(folder)] == list(documents())
    assert drift(folder) == []
    (folder / "status.schema.json").unlink()
    edited = folder / "control.schema.json"
    edited.write_text(edited.read_text(encoding="utf-8").replace('"pause"', '"sleep"'), encoding="utf-8")
    (folder / "old.schema.json").write_text("{}")
    (folder / "somebody_elses.json").write_text("{}")

    problems = drift(folder)

    assert len(problems) == 3
    assert "'\"sleep\",'; expected '\"pause\",'" in problems[0]
    assert problems[0].startswith("control.schema.json: line ")
    assert problems[1:] == ["status.schema.json is missing", "old.schema.json is not generated any more"]
    assert [path.name for path in write_documents(folder)] == ["control.schema.json", "status.schema.json"]
    assert drift(folder) == ["old.schema.json is not generated any more"]


def test_a_longer_file_drifts_and_other_line_ends_do_not(tmp_path: Path) -> None:
    write_documents(tmp_path)
    file = tmp_path / "status.schema.json"
    text = file.read_bytes()
    file.write_bytes(text.replace(b"\n", b"\r\n"))
    assert drift(tmp_path) == []
    file.write_bytes(text + b"\n")
    assert "lines; expected" in drift(tmp_path)[0]


def test_a_folder_that_is_a_file_is_told_to_the_user(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_documents(file)
    with pytest.raises(StoreError, match="cannot be read"):
        drift(file)


# --- the message schemas ---------------------------------------------------------------------------------------------


@each_message
def test_a_schema_is_valid_closed_and_named(name: str) -> None:
    document = DOCUMENTS[f"{name}.schema.json"]
    Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"] == f"urn:entropilot:v1:{name}"
    for part in (document, *document.get("$defs", {}).values()):
        assert part["title"]
        assert part["description"]
        if part["type"] == "object":
            assert part["additionalProperties"] is False


def test_every_message_type_has_an_example_with_every_field() -> None:
    assert list(dict.fromkeys(type(example) for example in EXAMPLES)) == list(MESSAGE_TYPES)
    for model in MESSAGE_TYPES:
        empty: dict[type, set[str]] = {}
        for example in examples_of(model):
            for part in (example, *parts_of(example)):
                lacks = {field for field in type(part).model_fields if getattr(part, field) in (None, "", (), {})}
                empty[type(part)] = empty.get(type(part), lacks) & lacks
        assert not any(empty.values()), empty


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_an_example_travels_and_fits_its_schema(example: Message) -> None:
    assert decode(topic_of(example, recipient=SIMULATOR), encode(example)) == example  # type: ignore[arg-type]
    name = message_name(type(example))
    VALIDATORS[name].validate(json.loads(encode(example)))
    assert DOCUMENTS[f"{name}.schema.json"]["examples"] == WIRES[name]


@each_message
def test_optional_fields_may_be_absent_or_null_and_all_others_are_required(name: str) -> None:
    required = DOCUMENTS[f"{name}.schema.json"]["required"]
    assert required[:2] == ["protocol", "campaign"]
    for field in WIRE[name]:
        absent = changed(name, lambda content, field=field: content.pop(field))  # type: ignore[misc]
        assert code_accepts(absent) == schema_accepts(name, absent) == (field not in required), field
    only_required = json.dumps({field: WIRE[name][field] for field in required})
    assert code_accepts(only_required)
    assert schema_accepts(name, only_required)


def test_a_metrics_report_of_families_without_entropy_survives_the_wire() -> None:
    report = MetricsReport(
        campaign=CAMPAIGN,
        message_id="m",
        sent_at=EXAMPLES[0].sent_at,
        observation=0,
        property="volume",
        unit="",
        families=(FamilyBias(family="cubic", size=0, entropy=None),),
        entropy_range=None,
        entropy_std=None,
        mean_gap=None,
        starved_family=None,
    )
    assert decode(topic_of(report), encode(report)) == report
    VALIDATORS["metrics_report"].validate(json.loads(encode(report)))
    with_nulls = report.model_dump_json()
    assert '"entropy":null' in with_nulls
    assert code_accepts(with_nulls)
    assert schema_accepts("metrics_report", with_nulls)


REPLACEMENTS: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2, 1.5, -0.5, 10**30, 10**151, 1e150, 1e150 + 1e135,
    "", "x", "é", "UPPER", "a/b", "Xx1", "x" * MAX_ID_LENGTH,
    "x" * (MAX_ID_LENGTH + 1), "é" * MAX_TEXT_LENGTH, "x" * (MAX_TEXT_LENGTH + 1), [], ["x"], {}, {"unexpected": 1},
    "2026-01-31T12:00:00", "2026-01-31T12:00:00+01:00", "2026-01-31", "accepted", "pause", "crashed", "online",
)  # fmt: skip


@each_message
def test_code_and_schema_agree_on_every_single_change_of_a_message(name: str) -> None:
    """Replace each value of the example by each of many, add a field to each object, repeat each list's first entry."""
    accepted, refused = 0, 0
    for path, text in chain.from_iterable(map(single_changes, WIRES[name])):
        verdict = code_accepts(text)
        assert schema_accepts(name, text) == verdict, f"{path}: the code says {verdict}: {text[:2000]}"
        accepted, refused = accepted + verdict, refused + (not verdict)
    assert accepted > 10
    assert refused > 100


REFUSED_BY_BOTH: dict[str, Change] = {
    "an extra field": lambda content: content.update(extra=1),
    "an older version": lambda content: content.update(protocol=0),
    "a newer version": lambda content: content.update(protocol=2),
    "a version in quotes": lambda content: content.update(protocol="1"),
    "a version that is true": lambda content: content.update(protocol=True),
    "no version": lambda content: content.pop("protocol"),
    "no type": lambda content: content.pop("type"),
    "another type": lambda content: content.update(type="candidate_requests"),
    "an id that is too long": lambda content: content.update(message_id="x" * (MAX_ID_LENGTH + 1)),
    "an empty id": lambda content: content.update(campaign=""),
    "an id with a slash": lambda content: content.update(campaign="a/b"),
    "an id with a wildcard": lambda content: content.update(campaign="+"),
    "a time without an offset": lambda content: content.update(sent_at="2026-01-31T12:00:00"),
    "a time as a number": lambda content: content.update(sent_at=1_700_000_000),
}


@each_message
@pytest.mark.parametrize("case", REFUSED_BY_BOTH)
def test_both_refuse(name: str, case: str) -> None:
    text = changed(name, REFUSED_BY_BOTH[case])
    assert not code_accepts(text)
    assert not schema_accepts(name, text)


def crystal_of(atoms: int) -> Change:
    def change(content: Json) -> None:
        content["structure"]["symbols"] = ["Cu"] * atoms
        content["structure"]["scaled_positions"] = [[0, 0, 0]] * atoms

    return change


def molecule_of(atoms: int) -> Change:
    def change(content: Json) -> None:
        del content["structure"]
        geometry = {"symbols": ["C"] * atoms, "positions": [[float(number), 0, 0] for number in range(atoms)]}
        content["molecule"] = {"smiles": "C" * atoms, "geometry": geometry}

    return change


HEAT: Json = {"name": "temperature", "value": 353.4, "unit": "K"}


def repeated(field: str, part: Any) -> Callable[[int], Change]:
    return lambda count: lambda content: content.update({field: [part] * count})


AT_THE_BOUND: dict[str, tuple[str, Callable[[int], Change], int]] = {
    "atoms": ("candidate_request", crystal_of, MAX_ATOMS),
    "atoms of a molecule": ("candidate_request", molecule_of, MAX_ATOMS),
    "remarks": (
        "candidate_result",
        lambda n: lambda content: content.update(provenance={str(number): number for number in range(n)}),
        MAX_PROVENANCE,
    ),
    "a remark": (
        "candidate_result",
        lambda n: lambda content: content.update(provenance={"energies": "x" * n}),
        MAX_REMARK_LENGTH,
    ),
    "properties": (
        "candidate_request",
        lambda n: lambda content: content.update(properties=["p"] * n),
        MAX_QUANTITIES,
    ),
    "quantities": (
        "candidate_result",
        lambda n: lambda content: content.update(quantities=content["quantities"] * n),
        MAX_QUANTITIES,
    ),
    "parameters": ("candidate_request", repeated("parameters", HEAT), MAX_PARAMETERS),
    "labels": (
        "candidate_request",
        lambda n: lambda content: content.update(labels={str(number): "x" for number in range(n)}),
        MAX_PARAMETERS,
    ),
    "features": ("candidate_request", repeated("features", {"name": "f", "value": 1, "unit": ""}), MAX_SENT_FEATURES),
    "wanted": ("candidate_request", repeated("wanted", {"name": "p", "unit": ""}), MAX_QUANTITIES),
    "replicates": ("candidate_result", repeated("replicates", 1.5), MAX_REPLICATES),
    "conditions": ("candidate_result", repeated("conditions", HEAT), MAX_QUANTITIES),
    "free remarks": (
        "candidate_result",
        lambda n: lambda content: content.update(remarks={str(number): number for number in range(n)}),
        MAX_PROVENANCE,
    ),
    "raw files": ("candidate_result", repeated("files", {"name": "a", "uri": "x"}), MAX_RAW_FILES),
    "families": (
        "metrics_report",
        lambda n: lambda content: content.update(families=[{"family": "f", "size": 1}] * n),
        MAX_FAMILIES,
    ),
}


@pytest.mark.parametrize("bound", AT_THE_BOUND)
def test_both_take_what_is_at_a_bound_and_refuse_one_more(bound: str) -> None:
    name, change, most = AT_THE_BOUND[bound]
    for count in (most, most + 1):
        text = changed(name, change(count))
        assert code_accepts(text) == schema_accepts(name, text) == (count == most)


def test_a_number_beyond_a_double_is_refused_by_both() -> None:
    text = json.dumps(WIRE["candidate_result"]).replace('"duration_s": 0.412', '"duration_s": 1e400')
    assert "1e400" in text
    assert not code_accepts(text)
    assert not schema_accepts("candidate_result", text)


BEYOND: dict[str, tuple[str, Callable[[str], str], str]] = {
    "NaN": ("candidate_result", lambda text: text.replace("-0.0473", "NaN"), "NaN"),
    "a repeated key": ("status", lambda text: text.replace("{", '{"detail": "x", ', 1), "repeats a key"),
    "too many bytes": ("status", lambda text: text + " " * 65536, "at most 65536 bytes"),
    "an integer with a decimal point": (
        "candidate_request",
        lambda text: text.replace('"attempt": 1', '"attempt": 1.0'),
        "written as integers",
    ),
    "more symbols than positions": (
        "candidate_request",
        lambda text: text.replace('["Cu", "Au"]', '["Cu"]'),
        "as many `symbols` as `scaled_positions`",
    ),
    "a crystal that is a molecule too": (
        "candidate_request",
        lambda text: text.replace('"structure"', '"molecule": {"smiles": "O"}, "structure"'),
        "`structure` or `molecule`",
    ),
    "more symbols than positions of a molecule": (
        "candidate_request",
        lambda text: json.dumps(OF_A_MOLECULE).replace('["F", "H"]', '["F"]'),
        "as many `symbols` as `positions`",
    ),
    "atoms on top of each other": (
        "candidate_request",
        lambda text: json.dumps(OF_A_MOLECULE).replace("0.65", "0.0").replace("0.66", "0.3"),
        "no two atoms closer than 0.5 Å",
    ),
    "a flat cell": ("candidate_request", lambda text: text.replace("3.67", "0.0"), "a cell of at least 0.001 Å³"),
    "a day that does not exist": ("control", lambda text: text.replace("01-31T", "02-30T"), "a date that exists"),
    "a line feed after an id": ("control", lambda text: text.replace('"demo"', '"demo\\n"'), "line feed"),
}


@pytest.mark.parametrize("case", BEYOND)
def test_what_only_the_code_refuses_is_said_in_the_description(case: str) -> None:
    name, change, words = BEYOND[case]
    text = json.dumps(WIRE[name])
    assert change(text) != text
    assert not code_accepts(change(text))
    assert schema_accepts(name, change(text)), "the schema refuses it too: move it to what both refuse"
    assert words in DOCUMENTS[f"{name}.schema.json"]["description"]


@pytest.mark.parametrize("time", ["2026-01-31 12:00:00Z", "2026-01-31T12:00Z", "1700000000"])
def test_where_the_code_is_more_lenient_than_the_schema_it_is_said(time: str) -> None:
    text = changed("status", lambda content: content.update(sent_at=time))
    assert code_accepts(text)
    assert not schema_accepts("status", text)
    assert LENIENCE in DOCUMENTS["status.schema.json"]["description"]


# --- the words -------------------------------------------------------------------------------------------------------


def test_every_field_and_every_message_has_words() -> None:
    parts = (
        messages.Quantity,
        messages.FamilyBias,
        messages.AddedCandidate,
        structure.CrystalStructure,
        molecule.Molecule,
        molecule.MoleculeGeometry,
    )
    models: tuple[type[BaseModel], ...] = (*MESSAGE_TYPES, *parts)
    for model in models:
        assert model.__doc__, model
        for name, part in model.model_fields.items():
            assert (part.description or "").endswith("."), f"{model.__name__}.{name} has no docstring"
            documented = ASYNCAPI["components"]["schemas"][model.__name__]["properties"][name]
            assert documented["description"] == " ".join((part.description or "").split())
    assert set(BEYOND_THE_SCHEMA) == {model.__name__ for model in MESSAGE_TYPES}
    assert len(EVERY_MESSAGE_BEYOND) == len(set(EVERY_MESSAGE_BEYOND))


def test_the_words_for_a_value_are_the_docstring_that_the_code_gives_it() -> None:
    for name, documented in enumeration_docstrings().items():
        assert set(VALUE_MEANINGS[name]) == {member.value for member in getattr(messages, name)}
        for value, docstring in documented.items():
            assert VALUE_MEANINGS[name][value] == docstring
    assert set(VALUE_MEANINGS) == set(enumeration_docstrings())


# --- the AsyncAPI document -------------------------------------------------------------------------------------------


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    references = [node["$ref"] for node in objects_of(ASYNCAPI) if "$ref" in node]
    assert len(references) > 40
    for reference in references:
        assert isinstance(resolve(reference), dict), reference


def test_the_asyncapi_document_has_the_required_parts_and_no_unknown_ones() -> None:
    """Fixed fields of the AsyncAPI 3.0.0 specification, by object."""
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(ASYNCAPI["info"])
    assert_fields(ASYNCAPI, "asyncapi id info servers defaultContentType channels operations components")
    for server in ASYNCAPI["servers"].values():
        assert_fields(server, "host protocol protocolVersion description security bindings", needs="host protocol")
        assert_fields(server["bindings"]["mqtt"], "clientId cleanSession lastWill keepAlive bindingVersion")
        will = server["bindings"]["mqtt"]["lastWill"]
        assert decode(will["topic"], will["message"].encode()).type == "status"
        assert (will["qos"], will["retain"]) == (1, True)
    for channel in ASYNCAPI["channels"].values():
        assert_fields(channel, "address title description parameters messages", needs="address messages")
    for parameter in ASYNCAPI["components"]["parameters"].values():
        assert_fields(parameter, "description examples location enum default")
    for message in ASYNCAPI["components"]["messages"].values():
        assert_fields(message, "name title summary contentType correlationId payload examples", needs="payload")
    for operation in ASYNCAPI["operations"].values():
        fields = "action title description channel messages reply tags bindings"
        assert_fields(operation, fields, needs="action channel messages tags bindings")


def test_an_operation_names_an_existing_channel_and_messages_of_that_channel() -> None:
    for name, operation in ASYNCAPI["operations"].items():
        assert operation["action"] in {"send", "receive"}
        assert name.startswith(
            operation["tags"][0]["name"] + {"send": "Sends", "receive": "Receives"}[operation["action"]]
        )
        for part in (operation, *([operation["reply"]] if "reply" in operation else [])):
            channel = part["channel"]["$ref"]
            assert channel.removeprefix("#/channels/") in ASYNCAPI["channels"]
            assert part["messages"]
            for message in part["messages"]:
                assert message["$ref"].startswith(f"{channel}/messages/")


def test_every_channel_is_sent_to_and_received_from_and_results_are_replied_to_with_receipts() -> None:
    operations = ASYNCAPI["operations"].values()
    for action in ("send", "receive"):
        used = {operation["channel"]["$ref"] for operation in operations if operation["action"] == action}
        assert used == {f"#/channels/{channel.value}" for channel in Channel}
    replies = {o["channel"]["$ref"]: o["reply"]["channel"]["$ref"] for o in operations if "reply" in o}
    answered = ("result", "failure", "control")
    assert replies == {f"#/channels/{each}": "#/channels/receipt" for each in answered}


def test_quality_of_service_is_1_and_only_status_bias_state_and_capabilities_are_retained() -> None:
    for operation in ASYNCAPI["operations"].values():
        binding = operation["bindings"]["mqtt"]
        assert binding["qos"] == 1
        if operation["action"] == "send":
            retained = operation["channel"]["$ref"].removeprefix("#/channels/") in {
                "status",
                "metrics",
                "campaign",
                "capabilities",
            }
            assert binding["retain"] is retained


def test_every_topic_round_trips_through_the_parser() -> None:
    assert set(ASYNCAPI["channels"]) == {channel.value for channel in Channel}
    for name, channel in ASYNCAPI["channels"].items():
        for example in zip_examples(channel["parameters"]):
            topic = channel["address"].format(**example)
            parsed = parse(topic)
            assert str(parsed) == topic
            assert parsed.channel.value == name
            assert parsed.campaign == example["campaign"]
            assert parsed.client in {None, *example.values()}
        assert set(channel["messages"]) == {message for message, where in CHANNEL_OF.items() if where.value == name}


def test_a_parameter_stands_where_its_location_says() -> None:
    for name, message in WIRE.items():
        channel = ASYNCAPI["channels"][CHANNEL_OF[name].value]
        for parameter in channel["parameters"]:
            location = ASYNCAPI["components"]["parameters"][parameter].get("location")
            if location is not None:
                assert location.removeprefix("$message.payload#/") in message
    for name, described in ASYNCAPI["components"]["messages"].items():
        assert ("correlationId" in described) == ("attempt_id" in WIRE[name])


def test_the_filters_are_those_that_the_code_subscribes_to() -> None:
    documented = [
        text.format(campaign="c", simulator="s")
        for operation in ASYNCAPI["operations"].values()
        for text in operation.get("x-topic-filters", [])
    ]
    subscribed = [*agent_subscriptions("c"), *simulator_subscriptions("s", campaign="c", shared=True)]
    assert sorted(documented) == sorted(subscribed)


@each_message
def test_the_payload_in_the_asyncapi_document_means_the_same_in_the_older_draft(name: str) -> None:
    """AsyncAPI's own schema language stands on draft 7, so the same keywords must give the same verdicts there."""
    reference = ASYNCAPI["components"]["messages"][name]["payload"]["$ref"]
    assert reference.startswith(SCHEMAS)
    schema = {"$ref": reference, "components": ASYNCAPI["components"]}
    Draft7Validator.check_schema(resolve(reference))
    older = Draft7Validator(schema)
    for path, text in chain.from_iterable(map(single_changes, WIRES[name])):
        assert older.is_valid(json.loads(text)) == schema_accepts(name, text), path
    assert [each["payload"] for each in ASYNCAPI["components"]["messages"][name]["examples"]] == WIRES[name]


# --- the recording ---------------------------------------------------------------------------------------------------

RECORDING = Draft202012Validator(DOCUMENTS["recording.schema.json"])
HEADER = {"campaign": "c", "pool_digest": "0f", "started_at": "2026-01-31T12:00:00+00:00", "versions": {"numpy": "2.2"}}


@pytest.fixture
def recorded(tmp_path: Path) -> list[str]:
    """Lines of a recording that was continued once and holds a payload that is not UTF-8."""
    path = tmp_path / "recording.jsonl"
    for payload in (b'{"protocol": "\xc3\x85"}', b"\xff\xfe"):
        writer = RecordingWriter(path, HEADER | {"scenario": {"name": "emt_alloys"}})
        writer.write("in", "entropilot/v1/c/result/s", payload, retain=False)
        writer.write("out", "entropilot/v1/c/metrics", b"", retain=True)
        writer.note_event(1, "CampaignPaused", '{"reason": "x"}')
        writer.note_start(1)
        took: list[dict[str, Any]] = [{"row": 1}, {"condemned": 2}, {"expired": "a"}, {"proposed": 3, "based_on": 1}]
        writer.note_transaction(took, [("DecisionMade", '{"decision": 3}')], before=1, sequence=3)
        writer.close()
    return path.read_text(encoding="ascii").splitlines()


def test_every_line_of_a_recording_fits_its_schema(recorded: list[str]) -> None:
    Draft202012Validator.check_schema(DOCUMENTS["recording.schema.json"])
    assert len(recorded) == 11
    for line in recorded:
        RECORDING.validate(json.loads(line))
    assert ["base64" in line for line in recorded].count(True) == 1


def test_the_chain_of_digests_is_what_the_description_says(recorded: list[str]) -> None:
    from hashlib import sha256

    before = ""
    for line in recorded:
        digest = json.loads(line)["digest"]
        without = line.replace(f', "digest": "{digest}"', "")
        assert sha256((before + without).encode()).hexdigest()[:16] == digest
        before = digest
    assert 'the text `, "digest": "…"`' in DOCUMENTS["recording.schema.json"]["description"]


@pytest.mark.parametrize(
    "change",
    [
        {"n": 0}, {"n": "1"}, {"t": -0.1}, {"dir": "inside"}, {"topic": None}, {"retain": 0}, {"digest": "0" * 15},
        {"digest": "g" * 16}, {"base64": "aa=="}, {"text": None}, {"extra": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_broken_row_does_not_fit(recorded: list[str], change: Json) -> None:
    assert not RECORDING.is_valid(json.loads(recorded[1]) | change)


@pytest.mark.parametrize("key", ["n", "t", "dir", "topic", "retain", "text", "digest"])
def test_a_row_without_one_of_its_members_does_not_fit(recorded: list[str], key: str) -> None:
    row = json.loads(recorded[1])
    del row[key]
    assert not RECORDING.is_valid(row)


@pytest.mark.parametrize("change", [{"entropilot_recording": 1}, {"started_at": "today"}, {"versions": {"numpy": 2}}])
def test_a_broken_header_does_not_fit(recorded: list[str], change: Json) -> None:
    assert not RECORDING.is_valid(json.loads(recorded[0]) | change)


# --- what the tests above stand on -----------------------------------------------------------------------------------


def parts_of(example: Any) -> Iterator[Any]:
    for field in type(example).model_fields:
        value = getattr(example, field)
        for part in value if isinstance(value, tuple) else (value,):
            if hasattr(type(part), "model_fields"):
                yield part
                yield from parts_of(part)


def single_changes(message: Json) -> Iterator[tuple[str, str]]:
    """Yield where, and the message with one change there; none that makes a cell flat, or of two lists one longer."""
    for path, value in places(message):
        replacements = [*REPLACEMENTS]
        if isinstance(value, dict):
            replacements += [
                value | {"unexpected": 1},
                *({k: v for k, v in value.items() if k != key} for key in value),
            ]
        matter = from_matter_on(path)
        if isinstance(value, list) and not matter:
            replacements += [value[:1] * 2, value[:1] * 501]
        for replacement in replacements:
            if matter[:2] == ["structure", "cell"] and replacement == 0 and isinstance(replacement, int):
                continue  # flat: only the code sees it
            if matter == ["structure", "symbols"] and replacement == ["x"]:
                continue
            if matter[:-1] == ["molecule", "geometry"] and isinstance(replacement, list):
                continue  # fewer of one than of the other: only the code sees it
            text = json.dumps(replaced(message, path, replacement))
            yield f"{path} = {replacement!r:.60}", text


def from_matter_on(path: list[Any]) -> list[Any]:
    """The end of a path that leads into a structure or a molecule, from there on."""
    return next((path[at:] for at, key in enumerate(path) if key in {"structure", "molecule"}), [])


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[list[Any], Any]]:
    if path:
        yield list(path), node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def replaced(message: Json, path: list[Any], value: Any) -> Json:
    content = copy.deepcopy(message)
    node: Any = content
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return content


def objects_of(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from objects_of(value)


def resolve(reference: str) -> Any:
    node: Any = ASYNCAPI
    assert reference.startswith("#/")
    for key in reference.removeprefix("#/").split("/"):
        node = node[key]
    return resolve(node["$ref"]) if set(node) == {"$ref"} else node


def assert_fields(node: Json, known: str, needs: str = "") -> None:
    assert {key for key in node if not key.startswith("x-")} <= set(known.split())
    assert set(needs.split()) <= set(node)


def zip_examples(parameters: Json) -> Iterator[dict[str, str]]:
    """Yield the parameters' examples: the first of each, then the second of those that have one, and so on."""
    examples = {name: resolve(parameter["$ref"])["examples"] for name, parameter in parameters.items()}
    for index in range(max(len(values) for values in examples.values())):
        yield {name: values[min(index, len(values) - 1)] for name, values in examples.items()}


def enumeration_docstrings() -> dict[str, dict[str, str]]:
    """Read the docstrings below the members of the enumerations: Python does not keep them."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(messages)).body:
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id == "StrEnum" for b in node.bases):
            found[node.name] = {}
            for member, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(member, ast.Assign) and isinstance(after, ast.Expr):
                    value = ast.literal_eval(member.value)
                    found[node.name][value] = ast.literal_eval(after.value)
    return found
