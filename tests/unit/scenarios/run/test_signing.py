"""A campaign that requires signatures has a key for everybody who is to be heard, or does not begin."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from protocols.errors import SettingsError
from protocols.signing.key_file import read_keys, write_keys
from protocols.signing.settings import SigningSettings
from protocols.signing.transport import UNSIGNED
from scenarios.run.request import RunRequest
from scenarios.run.signing import OWN_KEYS, given_signing, own_signing
from scenarios.world.world import World
from tests.support.samples.keys import RING


def request(
    folder: Path,
    *,
    required: bool = True,
    keys: str | None = None,
    recipients: tuple[str, ...] = ("furnace",),
    with_simulator: bool = False,
    lab: tuple[str, ...] = ("furnace",),
    operator: tuple[object, ...] = (),
) -> RunRequest:
    """What a run is asked for, as far as keys are concerned."""
    scenario = SimpleNamespace(
        campaign=SimpleNamespace(require_signatures=required),
        signing=SigningSettings(keys=keys),
        recipients=recipients,
        instruments=tuple(SimpleNamespace(id=each) for each in lab),
        operator=operator,
    )
    return RunRequest(cast("Any", scenario), cast("World", None), "demo", folder, with_simulator=with_simulator)


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "agent.keys"
    write_keys(path, RING)
    return str(path)


def test_without_keys_nothing_is_signed_where_nothing_is_required(tmp_path: Path) -> None:
    assert given_signing(request(tmp_path, required=False)) == UNSIGNED


def test_given_keys_sign_whether_or_not_signatures_are_required(tmp_path: Path, keys: str) -> None:
    for required in (True, False):
        given = given_signing(request(tmp_path, required=required, keys=keys, recipients=("furnace", "any")))
        assert given is not None
        assert given.ring == RING


@pytest.mark.parametrize(
    ("lacking", "more"),
    [
        ("kiln", {"recipients": ("furnace", "kiln")}),
        ("kiln", {"lab": ("kiln",), "with_simulator": True}),
        ("operator", {"operator": (1,), "with_simulator": True}),
    ],
)
def test_whose_key_lacks_is_told_where_signatures_are_required(
    tmp_path: Path, keys: str, lacking: str, more: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError, match=f"no key of '{lacking}'"):
        given_signing(request(tmp_path, keys=keys, **more))
    assert given_signing(request(tmp_path, keys=keys, required=False, **more)) is not None


def test_an_agent_alone_without_keys_is_told_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no keys are set"):
        given_signing(request(tmp_path))


def test_a_run_makes_its_own_keys_once_and_more_for_more_instruments(tmp_path: Path) -> None:
    assert given_signing(request(tmp_path, with_simulator=True)) is None
    first = own_signing(request(tmp_path, with_simulator=True))
    assert first.ring.names == {"agent", "furnace", "operator"}
    assert (tmp_path / OWN_KEYS).stat().st_mode & 0o777 == 0o600
    assert own_signing(request(tmp_path, with_simulator=True)) == first
    more = own_signing(request(tmp_path, with_simulator=True, lab=("furnace", "kiln")))
    assert more.ring.names == {"agent", "furnace", "kiln", "operator"}
    assert more.ring.instruments["furnace"] == first.ring.instruments["furnace"]
    assert read_keys(tmp_path / OWN_KEYS) == more.ring
