"""Policies that make molecules: what edits offer, how offers are described, and which of them is measured.

An offer is a candidate that is not in the pool; only what is chosen, and the runner-up, joins it. Chemistry is that of
`protocols.molecules`, scores are those of the policies beside this room.
"""
