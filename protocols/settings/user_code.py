"""From a name in the settings to a class of the user's own: found where the user says, and nowhere else.

A name is `module:Class` or `path/to/file.py:Class`. Both are looked for in one folder (that of the file which names
them); a module that is not there may be an installed one. A file is loaded under a name of its own, so that it hides
nobody's module; its folder goes to the very end of the path, so that it may import its neighbours and nothing in it
stands before the standard library, an installed package or ours.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from protocols.errors import SettingsError

FLAG: Final = "--allow-code"
"""The flag by which a person allows the code that a recording or a pack names."""

EXPECTED: Final = "module:Class or path/to/file.py:Class of your own"
"""What a name of the user's own looks like, for errors and descriptions."""

_DIGEST_DIGITS: Final = 16
"""Hexadecimal digits of a content digest that name a loaded module: 64 bits tell apart all that a process loads."""

_PREFIX: Final = "_user_code_"
"""Names of loaded modules begin with it, so that they are nobody else's."""


@dataclass(frozen=True, slots=True)
class CodeSource:
    """Where a class that settings name may come from.

    Attributes:
        folder: An absolute folder, looked through first; None where only installed modules are meant.
        named_by: The recording or pack that names the class, where nobody has allowed it: nothing is loaded then.
    """

    folder: str | None = None
    named_by: str = ""


INSTALLED: Final = CodeSource()
"""Only modules that are installed, or on PYTHONPATH."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a class is for.

    Attributes:
        noun: What it is called in messages.
        method: Its one method.
        signature: How the method is declared.
    """

    noun: str
    method: str
    signature: str


def is_user_code(name: str) -> bool:
    """Tell a class of the user's own from a built-in name."""
    return ":" in name


def split_name(name: str) -> tuple[str, str]:
    """Return module or file, and the class; both are empty when the name is not complete."""
    where, _, class_name = name.rpartition(":")
    return (where, class_name) if where and class_name else ("", "")


def is_file(where: str) -> bool:
    """Tell `path/to/file.py` from `package.module`."""
    return where.endswith(".py")


def load_class(name: str, source: CodeSource, role: Role) -> type:
    """Return the class that a setting names; nothing of it is called.

    Args:
        name: `module:Class` or `path/to/file.py:Class`.
        source: Where it may come from.
        role: What it is for.

    Raises:
        SettingsError: When it is not allowed, not there, raises while it is imported, or is no such class.
    """
    class_name, found = _named(name, source, role.noun)
    if isinstance(found, type) and callable(getattr(found, role.method, None)):
        return found
    lacking = f"has no method `{role.method}`" if isinstance(found, type) else "is no class"
    if found is None:
        lacking = f"names nothing: there is no {class_name} in it"
    raise SettingsError(
        f"The {role.noun} {name!r} {lacking}",
        expected=f"a class {class_name} with {role.signature}",
        action=f"correct the name of the {role.noun}, or write that class",
    )


def load_factory(name: str, source: CodeSource, noun: str, makes: str) -> Callable[..., object]:
    """Return the function or the class that a setting names; it is not called.

    Args:
        name: `module:factory` or `path/to/file.py:factory`.
        source: Where it may come from.
        noun: What it is called in messages.
        makes: What it returns, in words.

    Raises:
        SettingsError: When it is not allowed, not there, raises while it is imported, or cannot be called.
    """
    function, found = _named(name, source, noun)
    if callable(found):
        return found
    lacking = f"names nothing: there is no {function} in it" if found is None else "cannot be called"
    raise SettingsError(
        f"The {noun} {name!r} {lacking}",
        expected=f"a function {function} that returns {makes}",
        action=f"correct the name of the {noun}, or write that function",
    )


def code_digest(name: str, source: CodeSource) -> str:
    """Return a SHA-256 of the file or package that a name means; empty when it is not one of the user's folder.

    What the file imports from elsewhere is not part of it.
    """
    where, _ = split_name(name)
    if not where or source.named_by:
        return ""
    place = _place(where, source)
    return "" if place is None or not place.exists() else _content_digest(place)


def _named(name: str, source: CodeSource, noun: str) -> tuple[str, object]:
    """Return the last part of a name and what it means; None where there is nothing of that name."""
    where, last = split_name(name)
    if not where:
        raise SettingsError(f"{name!r} does not name a class", expected=EXPECTED)
    _require_permission(name, source, noun)
    return last, getattr(_module(name, where, source, noun), last, None)


def _require_permission(name: str, source: CodeSource, noun: str) -> None:
    if source.named_by:
        raise SettingsError(
            f"{source.named_by} names the {noun} {name!r}, which is code and no part of Entropilot",
            expected="your word before code is run that somebody else's file names",
            action=f"read that code, then allow it with {FLAG} FOLDER (the folder that it is in)",
        )


def _module(name: str, where: str, source: CodeSource, noun: str) -> ModuleType:
    place = _place(where, source)
    if place is not None and not place.exists():
        raise SettingsError(
            f"There is no file {place} for the {noun} {name!r}",
            expected=f"a Python file; its path is relative to {source.folder or 'the current folder'}",
            action="correct the path",
        )
    try:
        return importlib.import_module(where) if place is None else _load(place, where)
    except Exception as error:  # code of the user's own may raise anything
        if isinstance(error, ModuleNotFoundError) and error.name and f"{where}.".startswith(f"{error.name}."):
            raise _missing(name, where, source, noun) from None
        raise SettingsError(
            f"The {noun} {name!r} cannot be imported ({type(error).__name__}: {error})",
            expected="a module that can be imported by itself",
            action=f"correct {place or where}, or install what it lacks",
        ) from error


def _missing(name: str, where: str, source: CodeSource, noun: str) -> SettingsError:
    here = Path(*where.split(".")).with_suffix(".py")
    advice = (
        f"write {here.as_posix()}:{split_name(name)[1]}" if here.is_file() else "name its file, path/to/file.py:Class"
    )
    place = f"in {source.folder}, and none is installed" if source.folder else "that is installed"
    return SettingsError(
        f"The {noun} {name!r} names no module: there is no {where!r} {place}",
        expected=EXPECTED,
        action=f"{advice}; or install the package that it is in",
    )


def _place(where: str, source: CodeSource) -> Path | None:
    """Return the file or the package folder that is meant; None for an installed module."""
    if is_file(where):
        return Path(source.folder or Path.cwd(), where)
    if source.folder is None:
        return None
    top = Path(source.folder, where.partition(".")[0])
    return next((each for each in (top.with_suffix(".py"), top) if each.is_file() or _is_package(each)), None)


def _is_package(folder: Path) -> bool:
    return folder.is_dir() and next(folder.rglob("*.py"), None) is not None


def _content_digest(place: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        digest.update(f"{file.relative_to(place.parent).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _load(place: Path, where: str) -> ModuleType:
    """Load a file, or a package and the module in it, under a name that tells place and content apart from others."""
    own = hashlib.sha256(f"{place}\0{_content_digest(place)}".encode()).hexdigest()[:_DIGEST_DIGITS]
    unique = f"{_PREFIX}{own}_{place.stem}"
    if str(place.parent) not in sys.path:
        sys.path.append(str(place.parent))
    if _BELOW not in sys.meta_path:
        sys.meta_path.insert(0, _BELOW)
    if unique not in sys.modules:
        _execute(unique, place)
    below = "" if is_file(where) else where.partition(".")[2]
    return importlib.import_module(f"{unique}.{below}") if below else sys.modules[unique]


class _FromSource(importlib.machinery.SourceFileLoader):
    """Runs what the file says, never kept bytecode.

    Python takes bytecode for fresh by the second and the size of its file. A file that is edited twice within a second
    would run as it was before, under the digest of what it is now.
    """

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - as Python calls it
        """Compile the file."""
        return self.source_to_code(self.get_data(self.path), self.path)


class _BelowUserCode(importlib.abc.MetaPathFinder):
    """Finds the modules inside the user's packages, to be run from source too."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - as Python calls it
    ) -> importlib.machinery.ModuleSpec | None:
        """Look through the folders of the package; None for all modules but the user's."""
        if not fullname.startswith(_PREFIX):
            return None
        finders = (importlib.machinery.FileFinder(folder, _SOURCES) for folder in path or ())
        return next((found for finder in finders if (found := finder.find_spec(fullname)) is not None), None)


_SOURCES: Final = (_FromSource, importlib.machinery.SOURCE_SUFFIXES)

_BELOW: Final = _BelowUserCode()


def _execute(unique: str, place: Path) -> None:
    module = importlib.util.module_from_spec(_spec(unique, place))
    sys.modules[unique] = module  # before it is executed: dataclasses look their module up there
    if module.__spec__ is None or module.__spec__.loader is None:
        return  # a folder without __init__.py: there is nothing to execute
    try:
        module.__spec__.loader.exec_module(module)
    except BaseException:
        del sys.modules[unique]
        raise


def _spec(unique: str, place: Path) -> importlib.machinery.ModuleSpec:
    file = place / "__init__.py" if place.is_dir() else place
    if not file.exists():
        spec = importlib.machinery.ModuleSpec(unique, None, is_package=True)
        spec.submodule_search_locations = [os.fspath(place)]
        return spec
    loader = _FromSource(unique, os.fspath(file))
    found = importlib.util.spec_from_file_location(
        unique, file, loader=loader, submodule_search_locations=[os.fspath(place)] if place.is_dir() else None
    )
    if found is None:
        raise ImportError(f"{file} is no Python file")
    return found
