"""The command `compare`: policies over seeds, from the same starts, and the models trained on what they acquired.

Starts worker processes, and writes figures and tables. Imports `run` (offline play) and what is below, and no other
command.
"""
