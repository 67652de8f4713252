"""What is handed out works: wheel and sdist hold the same, and the wheel runs without the checkout.

The wheel goes into a virtual environment of its own. What Entropilot needs is taken from the environment of the tests
(by a .pth file: no registry is asked, so it takes seconds); Entropilot itself is not, for only the folder is named
there, and the .pth file of the checkout in it is not read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.commands import clean_environment

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("build.__main__", "hatchling")),
        reason="build and hatchling are not installed (the extra [dev])",
    ),
]

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent", "entropilot", "protocols", "scenarios", "simulators")
DATA = (".toml", ".csv", ".jsonl", ".gz", ".json", ".typed", ".py")
"""Endings of what belongs to the package."""


def run(command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=clean_environment(), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=280, check=False,
    )  # fmt: skip


def built(kind: str, source: Path, out: Path) -> Path:
    """Build a wheel or an sdist with the tools that are installed."""
    done = run([sys.executable, "-P", "-m", "build", "--no-isolation", f"--{kind}", "--outdir", out, source], out)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def contents(wheel: Path) -> dict[str, str]:
    """Name -> digest of everything in a wheel but its own list of these."""
    with zipfile.ZipFile(wheel) as file:
        names = [name for name in file.namelist() if not name.endswith("RECORD")]
        return {name: hashlib.sha256(file.read(name)).hexdigest() for name in names}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment with the wheel in it."""
    home = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(home, symlinks=sys.platform != "win32", with_pip=True)
    binaries = home / ("Scripts" if sys.platform == "win32" else "bin")
    installing: list[str | Path] = [
        binaries / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
    ]
    done = run(installing, home)
    assert done.returncode == 0, done.stderr
    site = next(home.rglob("site-packages"))
    shared = [each for each in sys.path if Path(each).name in {"site-packages", "dist-packages"}]
    (site / "dependencies.pth").write_text("\n".join(shared) + "\n", encoding="utf-8")
    return binaries / "entropilot"


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    tracked = run(["git", "ls-files", *PACKAGES], ROOT)
    if tracked.returncode:
        pytest.skip("this is no checkout")
    there = {name for name in tracked.stdout.split("\n") if name.endswith(DATA) and (ROOT / name).exists()}
    assert {name for name in contents(wheel) if ".dist-info/" not in name} >= there
    assert {"entropilot/py.typed", "protocols/schema/v1/asyncapi.json"} <= there


def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    for name in ("sdist", "unpacked", "again"):
        (tmp_path / name).mkdir()
    with tarfile.open(built("sdist", ROOT, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert contents(built("wheel", source, tmp_path / "again")) == contents(wheel)


def test_the_wheel_runs_from_another_folder(program: Path, tmp_path: Path) -> None:
    python = program.parent / "python"
    where = run([python, "-c", "import entropilot, agent; print(entropilot.__file__, agent.__file__)"], tmp_path)
    assert all(Path(each).is_relative_to(program.parent.parent) for each in where.stdout.split()), where
    commands: list[list[str | Path]] = [
        [program, "--help"],
        [python, "-m", "entropilot", "--help"],
        [program, "schema", "--check"],
    ]
    for command in commands:
        done = run(command, tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), done
    listed = run([program, "list", "--json"], tmp_path)
    assert {"emt_alloys", "oracle_table"} <= set(json.loads(listed.stdout)["scenarios"])


def test_the_wheel_runs_and_replays_a_campaign(program: Path, tmp_path: Path) -> None:
    ran = run([program, "run", "oracle_table", "--budget", "3", "--quiet"], tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads((tmp_path / "runs" / "oracle_table" / "summary.json").read_text())["spent"] == 3
    replayed = run([program, "replay", "oracle_table", "--json"], tmp_path)
    assert (replayed.returncode, json.loads(replayed.stdout)["identical"]) == (0, 3)
