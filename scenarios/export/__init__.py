"""The command `export`: what a run measured and decided, for other programs, with units, provenance and licence.

Reads a copy of the run (`agent.store.read_only`), and writes to a place of its own, never into the run folder. What
makes bytes of tables (`table`, `formats` and what they name) is pure, so that a page can give out what it shows.
Imports `sources`, `settings` and what is below; no other command.
"""
