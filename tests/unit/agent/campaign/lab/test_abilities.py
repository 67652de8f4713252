"""An instrument can serve a candidate unless it says otherwise; what nobody knows of one speaks against nobody."""

from __future__ import annotations

import pytest

from agent.campaign.lab.abilities import Abilities, AbleRange, Wanted

WANTED = Wanted(
    (("gap", "eV"),), "gfn2", frozenset({"Cu", "Au"}), {"temperature": 300.0, "flow": 0.5}, {"flow": "mL/min"}
)


@pytest.mark.parametrize(
    ("abilities", "why"),
    [
        (Abilities(), ""),
        (Abilities(properties=(("gap", "eV"), ("dipole", "D"))), ""),
        (Abilities(properties=(("dipole", "D"),)), "does not measure 'gap'"),
        (Abilities(properties=(("gap", "J"),)), "measures 'gap' in 'J', not in 'eV'"),
        (Abilities(fidelities=("gfn2",)), ""),
        (Abilities(fidelities=()), "has no method 'gfn2'"),
        (Abilities(elements=("Ag", "Au", "Cu")), ""),
        (Abilities(elements=("Ag",)), "does not take Au, Cu (it takes Ag)"),
        (Abilities(parameters=(AbleRange("temperature", "K", 300.0, 400.0),)), ""),
        (
            Abilities(parameters=(AbleRange("temperature", "K", 300.5, 400.0),)),
            "does 'temperature' from 300.5 to 400 K",
        ),
        (Abilities(parameters=(AbleRange("pressure", "", 1.0, 2.0),)), ""),
        (Abilities(parameters=(AbleRange("flow", "mL/min", 0.0, 2.0),)), ""),
        (Abilities(parameters=(AbleRange("flow", "L/min", 0.0, 2.0),)), "sets 'flow' in 'L/min', not in 'mL/min'"),
    ],
)
def test_it_says_what_it_cannot_do(abilities: Abilities, why: str) -> None:
    assert abilities.why_not(WANTED) == why


def test_the_usual_method_and_an_unknown_composition_speak_against_nobody() -> None:
    plain = Wanted((("gap", "eV"),), None, frozenset(), {})
    assert Abilities(fidelities=(), elements=("Ag",)).why_not(plain) == ""
