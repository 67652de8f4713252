"""From a name in the settings to a policy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.acquisition.base import Policy
from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import make_policies, make_policy, policy_fingerprint, runs_inline
from protocols.errors import SettingsError
from protocols.settings.user_code import CodeSource
from tests.support.campaigns import Play, small_plan, small_pool

POOL = small_pool(12)

MODULE = """
from agent.acquisition.base import Choice, Proposal

class First:
    runs_inline = True
    def __init__(self, offset: int = 0) -> None:
        if offset < 0:
            raise ValueError("offset is negative")
        self.offset = offset
    def propose(self, context, count):
        return Proposal((Choice(int(context.available[self.offset])),), "the first")

class Silent:
    pass

number = 3
"""

REQUIRED = {"causal_reference": {"global_graph": {"variables": ["a", "y"], "weights": [[0.0, 0.0], [1.0, 0.0]]}}}
"""Options without which a policy cannot be made."""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "own_policies.py").write_text(MODULE)
    (tmp_path / "own_broken.py").write_text("raise RuntimeError('no licence')")
    monkeypatch.syspath_prepend(tmp_path)
    yield "own_policies"
    sys.modules.pop("own_policies", None)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_name_makes_a_policy(name: str) -> None:
    policy = make_policy(name, REQUIRED.get(name, {}))
    assert isinstance(policy, Policy)
    assert runs_inline(policy) == (name in {"random", "round_robin"})


def test_options_reach_the_policy(own_module: str) -> None:
    assert vars(make_policy(f"{own_module}:First", {"offset": 2})) == {"offset": 2}
    assert runs_inline(make_policy(f"{own_module}:First", {}))


@pytest.mark.parametrize(
    ("name", "nearest"), [("etol", "etal"), ("Uncertain", "uncertainty"), ("robin", "round_robin")]
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(SettingsError, match=f"no policy '{name}'.*did you mean '{nearest}'"):
        make_policy(name, {})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("no_such_module:First", "there is no 'no_such_module' that is installed"),
        ("own_broken:First", "cannot be imported .RuntimeError: no licence"),
        ("own_policies:Second", "there is no Second in it"),
        ("own_policies:number", "is no class"),
        ("own_policies:Silent", "has no method `propose`"),
        (":First", "There is no policy"),
        ("own_policies:", "There is no policy"),
    ],
)
def test_a_policy_that_cannot_be_had_is_a_wrong_setting(own_module: str, name: str, found: str) -> None:
    with pytest.raises(SettingsError, match=found):
        make_policy(name, {})


def test_a_wrong_option_is_answered_with_those_accepted() -> None:
    with pytest.raises(SettingsError, match=r"patient.*patience: 'int' = 10, lengthscales: 'str' = 'each'"):
        make_policy("etal", {"patient": 3})
    with pytest.raises(SettingsError, match="Expected: no options"):
        make_policy("random", {"seed": 3})


def test_a_value_that_the_policy_refuses_is_a_wrong_setting(own_module: str) -> None:
    with pytest.raises(SettingsError, match="offset is negative"):
        make_policy(f"{own_module}:First", {"offset": -1})
    with pytest.raises(SettingsError, match="patience is 0"):
        make_policy("etal", {"patience": 0})


def test_the_fingerprint_tells_name_and_options_apart_but_not_their_order() -> None:
    prints = {
        policy_fingerprint("etal", {}),
        policy_fingerprint("etal", {"patience": 4}),
        policy_fingerprint("etal", {"patience": 5}),
        policy_fingerprint("random", {}),
    }
    assert len(prints) == 4
    assert all(len(p) == 12 and int(p, 16) >= 0 for p in prints)
    assert policy_fingerprint("x", {"a": 1, "b": 2}) == policy_fingerprint("x", {"b": 2, "a": 1})


def test_the_fingerprint_follows_the_numerical_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    before = policy_fingerprint("etal", {})
    monkeypatch.setattr(importlib.metadata, "version", lambda package: "0")
    assert policy_fingerprint("etal", {}) != before


def test_the_fingerprint_follows_the_file_of_a_policy_and_not_its_place(tmp_path: Path) -> None:
    prints = []
    for folder, offset in (("one", 0), ("other", 0), ("changed", 1)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(MODULE.replace("offset: int = 0", f"offset: int = {offset}"))
        prints.append(policy_fingerprint("mine.py:First", {}, CodeSource(str(tmp_path / folder))))
    assert prints[0] == prints[1] != prints[2]
    assert policy_fingerprint("etal", {}, CodeSource(str(tmp_path))) == policy_fingerprint("etal", {})


def test_a_context_that_names_a_policy_is_answered_by_it_and_any_other_by_the_campaign_s_own() -> None:
    played = Play(POOL, small_plan(POOL), ["c000"])
    played.settle()
    (context,) = played.contexts
    both = make_policies("random", {})
    for named in ("", "round_robin", "", "round_robin"):
        asked = replace(context, policy=named)
        assert both.propose(asked, 3) == make_policy(named or "random", {}).propose(context, 3)


def test_a_policy_that_is_to_decide_the_rest_is_looked_for_before_anything_relies_on_it() -> None:
    with pytest.raises(SettingsError, match="There is no policy 'coverege'"):
        make_policies("random", {}, rest="coverege")


WITH_A_SURROGATE = ("etal", "expected_improvement", "gap_gain", "joint_entropy", "uncertainty")


@pytest.mark.parametrize("name", WITH_A_SURROGATE)
@pytest.mark.parametrize("per_family", [2, 20])
def test_a_policy_with_a_surrogate_follows_a_value_as_well_as_it_is_known(
    name: str, per_family: int, biased: Callable
) -> None:
    """Zero and unknown are the same; a value that tells nothing at all stops nobody."""
    context = biased(9, per_family=40, start_per_family=per_family).context(pending=np.array([119]))
    known = len(context.observed)
    options = {"start": 0} if name == "expected_improvement" else {}
    proposed = make_policy(name, options).propose(context, 2)
    for stds in (np.zeros((known, 1)), np.empty((0, 0))):
        assert make_policy(name, options).propose(replace(context, uncertainties=stds), 2) == proposed
    for std in (1.0, 1e150):
        vague = np.where(np.arange(known) % 2, std, 0.0)[:, None]
        other = make_policy(name, options).propose(replace(context, uncertainties=vague), 2)
        assert other.choices[0].score != proposed.choices[0].score
