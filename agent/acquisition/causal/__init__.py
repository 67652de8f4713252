"""Policies that are after causes: which interventions to carry out so that their effects become known.

Belongs here: policies and what only they share, on the beliefs of `agent.causal`. Pure, as all policies.
"""
