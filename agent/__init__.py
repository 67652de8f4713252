"""The agent: it decides what to evaluate next, remembers everything, and talks to the lab.

Only what runs beside a lab belongs here. `loop` is the main path, `assembly` puts the parts together, and the rooms
below decide or keep. Imports `protocols`; never `simulators` or `scenarios`.
"""
