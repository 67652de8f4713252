"""Probabilistic models of the property over the features. Pure functions of their training rows."""
