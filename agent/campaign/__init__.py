"""The campaign core: pure rules. Events in, events out; no I/O, no clock, no global randomness."""
