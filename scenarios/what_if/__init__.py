"""The command `what-if`: another policy or other settings from the same start, answered by a recording.

Reads a recording, and writes a folder of its own. Imports `replay`, `run` (offline play) and what is below.
"""
