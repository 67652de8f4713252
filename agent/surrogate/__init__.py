"""Probabilistic models of the property over the features: training rows in, mean and variance out.

Pure functions of their rows: no I/O, no clock, no randomness. Imports no other room; `acquisition` asks them.
"""
