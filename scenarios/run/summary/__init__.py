"""What a run came to: its summary as a file, and as the table at a run's end.

Imports `display`, `effects` and, of a run's own modules, `reach` and `trajectory`; reads and writes nothing but
`summary.json`.
"""
