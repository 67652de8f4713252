"""The command `global-graph`: the causal graph of all rows of a scenario whose values are all known.

It is what `causal_reference` is told, and what no laboratory has. Stands on `sources` and `world`.
"""
