"""Names of the policies that come with Entropilot; light to import, for whoever only needs the names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BUILT_IN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "causal": "agent.acquisition.causal.causal:Causal",
        "causal_reference": "agent.acquisition.causal.causal_reference:CausalReference",
        "coverage": "agent.acquisition.coverage:Coverage",
        "d_optimal": "agent.acquisition.causal.d_optimal:DOptimal",
        "etal": "agent.acquisition.etal:EntropyTargeted",
        "etal_reference": "agent.acquisition.etal_reference:PublishedEntropyTargeted",
        "expected_improvement": "agent.acquisition.causal.exploiting:ExpectedImprovement",
        "fidelity_gain": "agent.acquisition.fidelities.fidelity_gain:FidelityGain",
        "gap_gain": "agent.acquisition.gap_gain:GapGain",
        "joint_entropy": "agent.acquisition.joint_entropy:JointEntropy",
        "molecule_edits": "agent.acquisition.molecules.molecule_edits:MoleculeEdits",
        "probability_of_exceeding": "agent.acquisition.causal.exploiting:ProbabilityOfExceeding",
        "random": "agent.acquisition.baselines:UniformRandom",
        "round_robin": "agent.acquisition.baselines:RoundRobin",
        "target_mean": "agent.acquisition.causal.target_mean:TargetMean",
        "uncertainty": "agent.acquisition.uncertainty:Uncertainty",
    }
)
"""Name -> module and class, as a user's own policy is named; imported when it is asked for."""
