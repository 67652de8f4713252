"""A class of the user's own is found where the user says, hides nobody's module, and is told apart by its content."""

from __future__ import annotations

import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.settings.user_code import INSTALLED, CodeSource, Role, code_digest, load_class, load_factory

GREETER = Role("greeter", "greet", "greet(self) -> str")

CODE = """
class Mine:
    def greet(self):
        return {word!r}

class Mute:
    pass

number = 3
"""


@pytest.fixture(autouse=True)
def path_is_restored() -> Iterator[None]:
    """What a test loads leaves no folder on the path."""
    before = list(sys.path)
    yield
    sys.path[:] = before


def put(folder: Path, name: str, word: str = "hello") -> CodeSource:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(CODE.format(word=word))
    return CodeSource(str(folder))


def greeting(name: str, source: CodeSource) -> str:
    greet: str = load_class(name, source, GREETER)().greet()
    return greet


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mine.py", "mine.py:Mine"),
        ("mine.py", "mine:Mine"),
        ("deep/er/mine.py", "deep/er/mine.py:Mine"),
        ("deep/er/mine.py", "deep.er.mine:Mine"),
    ],
)
def test_a_module_and_a_file_are_found_in_the_same_folder(tmp_path: Path, file: str, name: str) -> None:
    assert greeting(name, put(tmp_path, file)) == "hello"


def test_a_package_may_import_its_own_modules(tmp_path: Path) -> None:
    source = put(tmp_path, "lab/words.py", "from the words")
    (tmp_path / "lab" / "__init__.py").write_text("from .words import Mine as Other\n")
    (tmp_path / "lab" / "greeters.py").write_text("from .words import Mine\n")
    assert greeting("lab:Other", source) == greeting("lab.greeters:Mine", source) == "from the words"


def test_a_file_may_import_its_neighbour(tmp_path: Path) -> None:
    source = put(tmp_path, "neighbour_of_mine.py", "next door")
    (tmp_path / "mine.py").write_text("from neighbour_of_mine import Mine\n")
    assert greeting("mine.py:Mine", source) == "next door"


def test_a_file_named_as_a_module_of_python_is_loaded_and_hides_it_from_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = put(tmp_path, "colorsys.py", "no colours")
    assert greeting("colorsys.py:Mine", source) == greeting("colorsys:Mine", source) == "no colours"
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    neighbour = "import colorsys\nclass Mine:\n    def greet(self):\n        return colorsys.rgb_to_hsv.__name__\n"
    (tmp_path / "mine.py").write_text(neighbour)
    assert greeting("mine.py:Mine", source) == "rgb_to_hsv"


def test_a_module_that_is_not_in_the_folder_may_be_installed(tmp_path: Path) -> None:
    assert load_class("json:JSONDecoder", CodeSource(str(tmp_path)), Role("decoder", "decode", "decode(self, s)"))


def test_files_of_one_name_in_two_folders_and_in_two_versions_are_told_apart(tmp_path: Path) -> None:
    one, other = put(tmp_path / "one", "mine.py", "one"), put(tmp_path / "other", "mine.py", "other")
    digests = {code_digest("mine.py:Mine", one), code_digest("mine.py:Mine", other)}
    assert (greeting("mine.py:Mine", one), greeting("mine.py:Mine", other)) == ("one", "other")
    put(tmp_path / "one", "mine.py", "changed")
    assert greeting("mine.py:Mine", one) == "changed"
    assert len(digests | {code_digest("mine.py:Mine", one)}) == 3


def test_the_digest_is_of_the_content_and_not_of_the_place(tmp_path: Path) -> None:
    one, other = put(tmp_path / "one", "mine.py"), put(tmp_path / "other", "mine.py")
    assert code_digest("mine.py:Mine", one) == code_digest("mine:Mine", other) != ""


def test_what_is_installed_or_not_allowed_or_not_there_has_no_digest(tmp_path: Path) -> None:
    put(tmp_path, "mine.py")
    assert code_digest("json:JSONDecoder", INSTALLED) == ""
    assert code_digest("mine.py:Mine", CodeSource(str(tmp_path), named_by="The pack x")) == ""
    assert code_digest("missing.py:Mine", CodeSource(str(tmp_path))) == ""


def test_what_a_recording_names_is_refused_and_not_executed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'was_run')!r}, 'w').close()")
    for name in ("mine.py:Mine", "mine:Mine", "json:JSONDecoder"):
        with pytest.raises(SettingsError, match=r"The recording x names the greeter .*--allow-code FOLDER"):
            load_class(name, CodeSource(str(tmp_path), named_by="The recording x"), GREETER)
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.py:Mine", "There is no file .*missing.py for the greeter"),
        ("missing:Mine", "there is no 'missing' in .*, and none is installed"),
        ("mine.py:Yours", "names nothing: there is no Yours in it"),
        ("mine.py:number", "is no class"),
        ("mine.py:Mute", "has no method `greet`.*greet.self. -> str"),
        ("broken.py:Mine", "cannot be imported .ZeroDivisionError.*broken.py"),
        ("lacking.py:Mine", "cannot be imported .ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("mine.py:", "does not name a class"),
        (":Mine", "does not name a class"),
    ],
)
def test_what_cannot_be_had_is_said_with_what_to_do(tmp_path: Path, name: str, says: str) -> None:
    source = put(tmp_path, "mine.py")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "lacking.py").write_text("import not_there_at_all\n")
    with pytest.raises(SettingsError, match=says):
        load_class(name, source, GREETER)


def test_who_names_a_module_that_lies_in_the_current_folder_is_told_to_name_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a_greeter_here.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in {"", str(tmp_path)}])
    with pytest.raises(SettingsError, match=r"write a_greeter_here\.py:Mine"):
        load_class("a_greeter_here:Mine", INSTALLED, GREETER)
    assert greeting("a_greeter_here.py:Mine", INSTALLED) == "hello"


def test_a_file_that_raised_can_be_corrected_and_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("1 / 0\n")
    with pytest.raises(SettingsError, match="ZeroDivisionError"):
        load_class("mine.py:Mine", CodeSource(str(tmp_path)), GREETER)
    assert greeting("mine.py:Mine", put(tmp_path, "mine.py")) == "hello"


@pytest.mark.parametrize(("file", "name"), [("mine.py", "mine.py:Mine"), ("kit/below/mine.py", "kit.below.mine:Mine")])
def test_a_file_that_is_edited_twice_within_a_second_runs_as_it_is(tmp_path: Path, file: str, name: str) -> None:
    source = put(tmp_path, file, "first")
    (tmp_path / "kit").mkdir(exist_ok=True)
    (tmp_path / "kit" / "__init__.py").touch()
    old = (tmp_path / file).stat()
    assert greeting(name, source) == "first"
    py_compile.compile(str(tmp_path / file))  # as any import elsewhere leaves it
    put(tmp_path, file, "other")
    os.utime(tmp_path / file, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert greeting(name, source) == "other"


def test_a_factory_is_anything_that_can_be_called(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def make(): return 7\nclass Made: ...\nNUMBER = 3\n")
    source = CodeSource(str(tmp_path))
    assert load_factory("mine.py:make", source, "maker", "a number")() == 7
    assert isinstance(load_factory("mine.py:Made", source, "maker", "a number"), type)
    with pytest.raises(SettingsError, match=r"The maker 'mine.py:NUMBER' cannot be called.*returns a number"):
        load_factory("mine.py:NUMBER", source, "maker", "a number")
    with pytest.raises(SettingsError, match="there is no absent in it"):
        load_factory("mine.py:absent", source, "maker", "a number")
    with pytest.raises(SettingsError, match="The pack x names the maker"):
        load_factory("mine.py:make", CodeSource(str(tmp_path), named_by="The pack x"), "maker", "a number")
    with pytest.raises(SettingsError, match="does not name a class"):
        load_factory(":make", source, "maker", "a number")
