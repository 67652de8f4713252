"""Tables of candidates: files, columns, cells, rows, ids, families, structures and molecules.

Reads files; knows no campaign. Imports `wire` for its limits and structures, `molecules` for what a SMILES means, and
`settings` for the nearest name.
"""
