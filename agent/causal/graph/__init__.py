"""Causal graphs from rows of numbers: linear, non-Gaussian, acyclic (DirectLiNGAM).

Columns are checked and pruned (`variables`, `collinearity`), put in order (`lingam`), given weights
(`adaptive_lasso`), and judged: `bootstrap` says how sure an edge is, `effects` what an intervention does, `losses` how
far one graph is from another. Everything is a pure function of its rows, its knowledge and a seed, in NumPy alone;
imports no other room.
"""
