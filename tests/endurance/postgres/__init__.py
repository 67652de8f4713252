"""Campaigns whose journal is on PostgreSQL, in trouble with real processes: those of ours and those of the server."""
