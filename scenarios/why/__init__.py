"""The command `why`: one decision of a run, explained in words and as a figure, and asked for again.

Only reads, but for its figure. Imports `replay`, which compares decisions, `sources` and what is below.
"""
