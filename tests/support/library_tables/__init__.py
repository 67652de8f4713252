"""Makes the tables that scenarios of the library read; each module writes one file of `scenarios/library`."""
