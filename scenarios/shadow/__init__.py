"""The command `shadow`: beside a campaign of somebody else's it decides and logs, publishes nothing, and compares.

Touches the broker, as a listener, and a run folder of its own. Imports `run` for its tables and figures, and what is
below.
"""
