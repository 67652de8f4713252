"""Deliberate bugs, and the proof that the suite finds each: a net that never caught a fish may have holes."""
