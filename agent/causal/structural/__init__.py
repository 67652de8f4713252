"""Total effects in a system of equations: a committee of graphs, held against interventions.

Belongs here: what passive rows and interventions say of the effects of every variable on one target. Pure; may import
`agent.causal` beside it and `agent.pool`.
"""
