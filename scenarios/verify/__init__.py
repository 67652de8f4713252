"""The command `verify`: a run's journal, views and files, or a pack, checked against each other.

Only reads. Imports `run` for the files that a run writes, `pack_file`, `sources` and what is below.
"""
