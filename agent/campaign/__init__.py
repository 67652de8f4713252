"""The campaign core: what a campaign is, and what follows from an event. Events in, events out.

Pure: no I/O, no clock, no global randomness. Imports `pool`, `acquisition` and `entropy`; knows no store and no link.
"""
