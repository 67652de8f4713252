"""Packages that `entropilot init` writes: installed in an environment of their own, found, and their tests pass."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from scenarios.init.package import write_package
from tests.support.commands import clean_environment
from tests.support.documents.markdown import ROOT

pytestmark = pytest.mark.system


def installed(folder: Path, packages: Path) -> Path:
    """Build a wheel without a network, unpack it into a new environment beside ours, and return its Python."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(packages), str(folder)],
        check=True, capture_output=True, env=clean_environment(), timeout=120,
    )  # fmt: skip
    made = packages / "environment"
    venv.create(made, with_pip=False, symlinks=True)
    python = made / "bin" / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout.strip())
    ours = [str(ROOT), sysconfig.get_path("purelib"), *(each for each in sys.path if each.endswith("site-packages"))]
    (site / "ours.pth").write_text("\n".join(dict.fromkeys(ours)), encoding="utf-8")
    for wheel in packages.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(site)
    return python


@pytest.mark.parametrize(("kind", "least"), [("policy", 150), ("evaluator", 7), ("reader", 11)])
def test_a_written_package_is_found_and_its_suite_passes(kind: str, least: int, tmp_path: Path) -> None:
    package = write_package(kind, "written_here", tmp_path / "source")
    python = installed(package.folder, tmp_path)
    environment = clean_environment() | {"OMP_NUM_THREADS": "1"}
    listed = subprocess.run(
        [python, "-m", "entropilot", "list", "--json"], check=True, capture_output=True, text=True, cwd=tmp_path,
        env=environment, timeout=120,
    ).stdout  # fmt: skip
    assert '"name": "written_here"' in listed
    assert f'"kind": "{kind}"' in listed
    ended = subprocess.run(
        [python, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", str(package.folder / "tests")],
        check=False, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=200,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-3000:]
    passed = int(ended.stdout.rpartition(" passed")[0].split()[-1])
    assert passed >= least
    # The plug-in of pytest is found by the entry point of an installed Entropilot: nothing here imports or names it.
    (tmp_path / "test_fixture.py").write_text(
        "def test_the_questions_are_there(policy_questions): assert len(policy_questions) == 25\n", encoding="utf-8"
    )
    found = subprocess.run(
        [python, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "test_fixture.py"],
        check=False, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=200,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-3000:]
