"""The settings of a scenario, and what stands in the library.

Pure models and the reading of them; imports `agent` and `simulators` for their settings, no command.
"""
