"""How it is kept: engines of SQLite and PostgreSQL, locks, files that are whole or not there.

Touches the disk; knows no message and no campaign. Imports nothing of ours but `protocols.errors`.
"""
