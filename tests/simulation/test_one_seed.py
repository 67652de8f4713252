"""A seed is the whole bug report: it gives the same run in every process. And the tester itself is tested."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from agent.store.commit import Commit
from agent.store.store import Store
from protocols.signing.envelope import wrap
from tests.simulation.faults import CALM, DYING, EVENTS, WIRE, FaultMix
from tests.simulation.run import play_seed
from tests.simulation.signatures import SIGNED_SHARE, says_the_same
from tests.simulation.terms import Terms, draw_terms

SEEDS: Final = (2, 4, 11, 12)
PROGRAM: Final = """
from tests.simulation.run import play_seed
from tests.simulation.signatures import SIGNED_SHARE
for seed in ({seeds}):
    print(play_seed(seed).digest)
"""


def test_a_seed_gives_the_same_trace_in_processes_of_different_hash_seeds() -> None:
    program = PROGRAM.format(seeds=", ".join(map(str, SEEDS)))
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1", "4711")
    }
    assert len(told) == 1
    assert len(set(told.pop().split())) == len(SEEDS)


def test_a_seed_gives_the_same_trace_after_other_seeds() -> None:
    alone = play_seed(3).digest
    play_seed(5)
    assert play_seed(3).digest == alone


def test_the_trace_is_kept_on_demand_and_does_not_change_the_run() -> None:
    told = play_seed(4, keep_trace=True)
    assert told.digest == play_seed(4).digest
    assert told.lines[0].startswith("0.000000 ")
    assert told.lines[-1].endswith(" end ")


def test_every_fault_is_drawn_by_some_seed_and_left_out_by_another() -> None:
    mixes = [draw_terms(seed).faults for seed in range(300)]
    for name in EVENTS:
        assert {name in mix.events for mix in mixes} == {True, False}
    for name in WIRE:
        assert {name in mix.wire for mix in mixes} == {True, False}
    for name in DYING:
        assert {name in mix.dying for mix in mixes} == {True, False}


def test_a_quarter_of_the_seeds_sign_and_whatever_only_a_signature_tells_is_tried_against_them() -> None:
    signed = [terms for terms in map(draw_terms, range(300)) if terms.signing.has_keys]
    assert all(terms.plan.require_signatures for terms in signed)
    assert abs(len(signed) / 300 - SIGNED_SHARE) < 0.1
    counts = Counter[str]()
    for terms in signed[:12]:
        counts += play_seed(terms.seed).counts
    assert all(counts[f"forged: {kind}"] for kind in ("no key", "another key", "moved", "changed", "sent again"))
    assert counts["bad messages met by the agent"]
    assert counts["bad messages met by labs"]


@pytest.mark.parametrize("who", ["agent.runtime.transaction", "simulators.service"])
def test_a_part_that_asks_for_no_signature_is_found(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{who}.require_signature", lambda _message, *, always: None)
    signed = [seed for seed in range(80) if draw_terms(seed).signing.has_keys]
    assert any(play_seed(seed).violations for seed in signed)


def test_without_faults_nothing_is_late_repeated_or_refused() -> None:
    terms = next(
        terms
        for terms in map(draw_terms, range(2_000))
        if terms.has_twin
        and terms.lab.odd == 0
        and terms.pondering_s == 0
        and terms.plan.policy == "fussy"
        and not terms.plan.limits.is_limiting
    )
    report = play_seed(terms.seed, terms=_calm(terms))
    assert not report.violations
    assert report.finished
    assert report.counts["ResultAccepted"] + report.counts["AttemptFailed"] == terms.plan.budget
    assert report.counts["LateResultKept"] == 0
    assert report.counts["starts: agent"] == 1


def test_an_agent_that_forgets_to_commit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simplest planted bug: after its fifth commit the agent's store writes nothing more."""
    written = Store.append_at_once

    def forgetful(store: Store, commit: Commit, *, now: str) -> None:
        if store.sequence < 8:
            written(store, commit, now=now)

    monkeypatch.setattr(Store, "append_at_once", forgetful)
    assert play_seed(1).violations  # by which it is found soonest; seed 0 takes ten times as long


def _calm(terms: Terms) -> Terms:
    return replace(terms, faults=replace(CALM, latency_s=FaultMix().latency_s))


def test_a_message_that_is_damaged_in_the_signature_for_another_is_none_the_worse() -> None:
    sent = {"simulator-1": "1" * 64, "simulator-2": "2" * 64}
    original = wrap(b"{}", sent)
    assert says_the_same(wrap(b"{}", sent | {"simulator-1": "3" * 64}), original)
    assert not says_the_same(wrap(b"{}", dict.fromkeys(sent, "3" * 64)), original)
    assert not says_the_same(wrap(b"{ }", sent), original)
    assert not says_the_same(original[:-2], original)
