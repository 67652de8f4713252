"""What the documents say can be done: commands exist, quick ones run, files load, links lead somewhere."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from pydantic import TypeAdapter

import protocols.errors
from agent.surrogate.errors import SurrogateError
from protocols.errors import EntropilotError
from protocols.wire.messages import AnyMessage
from scenarios.display.console import OUR_FAULT
from scenarios.display.system_limits import SystemLimitError
from scenarios.display.terminal import INTERRUPTED, NOBODY_READS, OutputError
from scenarios.doctor.checks import DoctorFoundFault
from scenarios.observe.alerts.settings import AlertFile
from scenarios.sources.scenario import Overrides, load_scenario
from tests.support.commands import Workbench
from tests.support.documents.commands import problem_of, unknown_parts
from tests.support.documents.markdown import ROOT, Block, Document, anchor_of, documents
from tests.support.documents.reference import DOCS, FOLDER, PAGES

README_LINES: Final = 150
ARCHITECTURE_LINES: Final = 165

DOCUMENTS: Final = documents()
EACH: Final = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def each_with(has: Callable[[Document], object]) -> pytest.MarkDecorator:
    """Mark a test that looks at the documents which have something to look at; there are some."""
    found = [document for document in DOCUMENTS if has(document)]
    assert found
    return pytest.mark.parametrize("document", found, ids=lambda document: document.name)


NOW: Final = "$(date -u +%FT%TZ)"
"""What a shell makes the time of: an order that was sent in the past is refused."""


def messages_in(document: Document) -> list[str]:
    """The messages that a document shows, as text."""
    shown = [block.body for block in document.blocks("json")]
    commands = (words for block in document.blocks("sh") for words in block.commands())
    return shown + [words[-1].replace(NOW, "2026-01-01T00:00:00Z") for words in commands if words[0] == "mosquitto_pub"]


OURS: Final = re.compile(r"(?:agent|docs|entropilot|protocols|scenarios|simulators|tests)/[\w./*-]+")
"""A path of the repository, as it stands between backticks."""

PRIVATE_WORDS: Final = re.compile(
    r"\b(mend(?:s|ed|ing)?|anew|wholly|letter by letter|of then|set(?:s|ting)? aside|(?:takes?|taken|took) up"
    r"|by hand|beside the paper)\b",
    re.IGNORECASE,
)
"""Words that were ours alone; each has a plain one."""

ROWS: Final = 420


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Workbench]:
    """A folder with the table that the documents speak of."""
    with Workbench(tmp_path) as bench:
        write_example_table(tmp_path / "my_table.csv")
        yield bench


def write_example_table(path: Path) -> None:
    """Write a table with the columns that the documents name."""
    rng = np.random.default_rng(17)
    families = rng.choice(["cubic", "hexagonal", "tetragonal"], ROWS)
    features = rng.normal(size=(ROWS, 3))
    energies = features @ np.array([0.5, -0.3, 0.2]) + 0.1 * rng.normal(size=ROWS)
    rows = (
        f"m{number},{families[number]},{energies[number]:.6f}," + ",".join(f"{x:.6f}" for x in features[number])
        for number in range(ROWS)
    )
    head = "material_id,crystal_system,formation_energy,feat_a,feat_b,feat_c"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")


@EACH
def test_every_command_in_a_block_can_be_typed(document: Document) -> None:
    problems = [
        f"{' '.join(words)}: {problem}"
        for block in document.blocks("sh", "text")
        for words in block.commands()
        if (problem := problem_of(words))
    ]
    assert not problems


@EACH
def test_every_command_that_is_mentioned_exists(document: Document) -> None:
    problems = [
        f"`{code}`: {problem}"
        for code in document.code()
        if re.match(r"entropilot [a-z-]", code)
        for problem in unknown_parts(code.split())
    ]
    modules = [code for code in document.code() if code.startswith("python -m tests.") and problem_of(code.split())]
    assert not problems + modules


@pytest.mark.system
@each_with(lambda document: any(block.is_run for block in document.blocks()))
def test_quick_commands_run_in_their_order(document: Document, desk: Workbench) -> None:
    for block in document.blocks("python", "toml"):
        if block.file_name:
            (desk.folder / block.file_name).write_text(block.body, encoding="utf-8")
    for words in (words for block in document.blocks() if block.is_run for words in block.commands()):
        assert words[0] == "entropilot", f"only our own commands are run, not {words}"
        finished = desk.entropilot(*words[1:])
        assert finished.code == 0, f"{' '.join(words)}: {finished.err}"


@EACH
def test_every_link_leads_somewhere(document: Document) -> None:
    broken = []
    for target in document.links():
        path, _, anchor = target.partition("#")
        found = (document.path.parent / path).resolve() if path else document.path
        if not found.exists() or (anchor and anchor not in Document(found).anchors()):
            broken.append(target)
    assert not broken


@EACH
def test_every_path_that_is_named_exists(document: Document) -> None:
    named = (match for code in document.code() if "NAME" not in code and (match := OURS.fullmatch(code)))
    missing = [found[0] for found in named if not list(ROOT.glob(found[0].rstrip("/")))]
    assert not missing


@each_with(lambda document: document.blocks("toml"))
def test_every_settings_file_loads(document: Document, desk: Workbench) -> None:
    for block in document.blocks("toml"):
        if block.body.lstrip().startswith("[tool."):
            assert set(tomllib.loads(block.body)) == {"tool"}
        elif "[alerts]" in block.body:
            AlertFile.model_validate(tomllib.loads(block.body))
        else:
            assert_loads(block, desk.folder)


def assert_loads(block: Block, folder: Path) -> None:
    """Load a whole scenario as it stands, and a part of one over another."""
    content: dict[str, Any] = tomllib.loads(block.body)
    path = folder / "shown.toml"
    path.write_text(block.body, encoding="utf-8")
    if "name" in content and "pool" in content:
        loaded = load_scenario(str(path), Overrides())
        assert loaded.settings.name == content["name"]
    else:
        loaded = load_scenario("oracle_table", Overrides(file=path))
        assert set(content) <= set(type(loaded.settings).model_fields)


@each_with(messages_in)
def test_every_message_that_is_shown_is_one(document: Document) -> None:
    for text in messages_in(document):
        message = TypeAdapter(AnyMessage).validate_json(text)
        assert json.loads(text).keys() <= message.model_dump().keys(), "a message says nothing that is not read"


@each_with(lambda document: document.blocks("python"))
def test_every_python_block_is_python(document: Document) -> None:
    for block in document.blocks("python"):
        assert ast.parse(block.body, document.name).body


@EACH
def test_the_documents_speak_plain_english(document: Document) -> None:
    assert not [match[0] for match in PRIVATE_WORDS.finditer(document.prose())]


def test_the_short_documents_stay_short() -> None:
    lines = {
        name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in ("README.md", "ARCHITECTURE.md")
    }
    assert lines["README.md"] <= README_LINES
    assert lines["ARCHITECTURE.md"] <= ARCHITECTURE_LINES


def test_no_picture_lies_at_the_top_and_each_is_shown() -> None:
    assert not [path.name for path in ROOT.iterdir() if path.suffix in {".png", ".svg", ".jpg"}]
    shown = {(each.path.parent / target).resolve() for each in DOCUMENTS for target in each.links()}
    assert set((ROOT / "docs/pictures").iterdir()) <= shown


def test_every_page_is_found_from_the_table_of_contents() -> None:
    contents = Document(ROOT / "docs/README.md")
    listed = {(contents.path.parent / target.partition("#")[0]).resolve() for target in contents.links()}
    pages = {each.path for each in DOCUMENTS if each.path.is_relative_to(ROOT / "docs")} - {contents.path}
    assert pages <= listed


@pytest.mark.parametrize(("page", "made"), PAGES.items(), ids=list(PAGES))
def test_the_reference_is_what_the_code_says(page: str, made: Callable[[], str]) -> None:
    told = "run `python -m tests.support.documents.reference` and commit what it writes"
    assert (DOCS / page).read_text(encoding="utf-8") == made(), told


@pytest.mark.parametrize("page", ["events.md", "python.md"])
def test_the_reference_says_of_everything_what_it_is(page: str) -> None:
    text = (FOLDER / page).read_text(encoding="utf-8")
    assert not re.findall(r"^\|.*\|\s*\|$", text, re.MULTILINE), "a field or argument without its meaning"


def test_every_exit_code_is_listed() -> None:
    kinds = [each for each in vars(protocols.errors).values() if isinstance(each, type)]
    others = (SurrogateError, SystemLimitError, OutputError, DoctorFoundFault)
    codes = {each.exit_code for each in (*kinds, *others) if issubclass(each, EntropilotError)}
    rows = re.findall(r"^\| (\d+) \|", (FOLDER / "exit-codes.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(code) for code in rows} == codes | {0, OUR_FAULT, INTERRUPTED, NOBODY_READS}


def test_anchors_are_made_as_the_site_makes_them() -> None:
    assert anchor_of("The bias trajectory: `trajectory.csv`") == "the-bias-trajectory-trajectorycsv"
    assert anchor_of("Several properties at once") == "several-properties-at-once"


def test_a_command_that_does_not_exist_is_found() -> None:
    assert "No such command" in problem_of(["entropilot", "fly"])
    assert "--wings" in problem_of(["entropilot", "run", "emt_alloys", "--wings"])
    assert problem_of(["entropilot", "compare", "emt_alloys", "--seeds", "many"])
    assert problem_of(["entropilot", "why", "emt_alloys"])
    assert problem_of(["make", "tea"]) == "make has no target tea"
    assert problem_of(["python", "-m", "tests.benchmarks.nothing"])
    assert list(unknown_parts(["entropilot", "run", "--wings"])) == ["run has no option --wings"]
    assert not problem_of(["entropilot", "run", "emt_alloys", "--set", "campaign.budget=3"])
