"""Causes and effects: what is believed of interventions, and the models and graphs that it follows from.

`graph` finds causal graphs in rows; `reference` is a published way to choose rows for one, there to be measured
against. Pure: no I/O, no clock, no randomness but a generator or a seed that is given; NumPy and SciPy, scikit-learn
only where its name stands in a docstring. Policies in `acquisition` ask it; it knows no campaign and no policy.
"""
