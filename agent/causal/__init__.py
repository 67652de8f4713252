"""Causes and effects: what is believed of interventions, and the models and graphs that it follows from.

`graph` finds causal graphs in rows; `structural` holds a committee of them against interventions; `designs` models a
finite closure of designs; `reference` is a published way to choose rows for a graph, there to be measured against.
Pure: no I/O, no clock, no randomness but a generator or a seed that is given; NumPy and SciPy, scikit-learn only where
its name stands in a docstring. Imports `pool` and `surrogate`. Policies in `acquisition` ask it; it knows no campaign
and no policy.
"""
