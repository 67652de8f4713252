"""Each unit test stands where its module stands: the tree of tests/unit is the tree of the source."""

from __future__ import annotations

from pathlib import Path

UNIT = Path(__file__).parent
ROOT = UNIT.parents[1]

EXCEPTIONS = {
    "test_layout.py": "is about this folder itself",
}
"""Test file -> why it stands for no module."""

ELSEWHERE = {"support": "tests/support"}
"""Top folder of unit tests -> where its modules are, if not in the folder of the same name at the root."""

MOST_FILES = 20
"""In one folder, so that it can be read at a glance; figures and data do not count."""

TESTS = sorted(path.relative_to(UNIT) for path in UNIT.rglob("test_*.py"))
FOLDERS = sorted({path.parent for path in UNIT.parent.rglob("*.py")})


def is_module(place: Path) -> bool:
    """Whether a module or a package stands there."""
    private = place.with_name(f"_{place.name}.py")
    return place.with_suffix(".py").is_file() or private.is_file() or (place / "__init__.py").is_file()


def files_in(folder: Path) -> int:
    """How many modules a folder holds."""
    return len(list(folder.glob("*.py")))


def module_of(test: Path) -> Path | None:
    """The module that a test file is named for: `test_MODULE.py` or `test_MODULE_concern.py`, the longest."""
    top, *rest = test.parent.parts
    folder = ROOT.joinpath(ELSEWHERE.get(top, top), *rest)
    words = test.stem.removeprefix("test_").split("_")
    names = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    return next((folder / name for name in names if is_module(folder / name)), None)


def test_every_unit_test_stands_where_its_module_stands() -> None:
    named_for_nothing = [str(each) for each in TESTS if str(each) not in EXCEPTIONS and module_of(each) is None]
    assert named_for_nothing == [], "see tests/README.md"


def test_an_exception_is_there_and_is_one() -> None:
    assert set(EXCEPTIONS) <= {str(each) for each in TESTS}


def test_every_folder_of_tests_can_be_read_at_a_glance() -> None:
    crowded = {str(each.relative_to(ROOT)): number for each in FOLDERS if (number := files_in(each)) > MOST_FILES}
    assert crowded == {}


def test_a_file_that_is_named_for_nothing_is_noticed() -> None:
    assert module_of(Path("agent/test_nothing_of_ours.py")) is None
    assert module_of(Path("agent/store/test_views_of_a_run.py")) == ROOT / "agent" / "store" / "views"
