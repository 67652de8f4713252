"""How uneven a dataset is, and what a value would change: the entropy of a family, its bands, its expected gain.

Pure: numbers in, numbers out. It knows no campaign, no policy and no I/O; everything else in `agent` may import it.
"""
