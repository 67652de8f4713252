"""Policies that are after causes: what causes what, and which candidate has what is wanted.

`causal` is the honest one, over a finite closure of designs or over interventions in a system of equations; the others
are there to be compared with it in the same loop. What they believe comes from `agent.causal`; a policy here asks for
candidates, says why, and keeps nothing that a fold over the values would not make again.
"""
