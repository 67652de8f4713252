"""The command `diff`: where two runs or recordings part, in words and as a figure.

Only reads, but for its figure. Imports `replay`, which follows recordings, `run` and what is below.
"""
