"""How uneven a dataset is, and what a value would change: the entropy of a family, its bands, its expected gain.

Pure: numbers in, numbers out. It knows no campaign and no policy, and imports no other room; `acquisition` and all
above may import it.
"""
