"""How it is kept: SQLite and PostgreSQL engines, locks, files that are whole or not there.

Touches the disk; knows no message and no campaign.
"""
