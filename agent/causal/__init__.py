"""Causes and effects: what is believed of interventions, and the models and graphs that it follows from.

Pure: no I/O, no clock, no randomness but a generator that is given. Imports `pool` and `surrogate`; the policies in
`acquisition` ask it.
"""
