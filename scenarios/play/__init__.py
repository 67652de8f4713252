"""The command `play`: the recorded lab on a real broker, for a live agent or a dashboard.

Touches the broker and the clock; reads a recording. Imports `display` alone; no other command.
"""
