"""What a name means: a scenario, run, recording, pack or table, opened.

Shared by all commands that take a name.
"""
