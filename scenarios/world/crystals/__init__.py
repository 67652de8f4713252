"""Pools of crystals that are made on the spot: of prototypes, substitutions, orderings, strains, and at random.

Knows no calculator but what it says of itself (`simulators.calculators`): its elements, and how long its bonds are.
Everything hangs on settings and seed alone.
"""
