"""CIF: its items with their lines, its asymmetric unit, its symmetry, and whether it holds what it says."""
